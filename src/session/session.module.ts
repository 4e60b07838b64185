import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { SessionsConfig } from '../config/config.js';
import { IdentityProvidersModule } from '../identity-providers/identity-providers.module.js';
import { JobRegistry } from '../jobs/job-registry.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { Metrics } from '../observability/metrics.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { TimeModule } from '../time/time.module.js';
import { FederatedAdmission } from './federated/federated-admission.js';
import { LinkedIdentitiesService } from './federated/linked-identities.service.js';
import { NoncesService } from './federated/nonces.service.js';
import { SignInService } from './federated/sign-in.service.js';
import { SpentCredentialRepository } from './federated/spent-credential.repository.js';
import { OverSessions } from './purge/over-sessions.js';
import { PurgeGuestsJob } from './purge/purge-guests.job.js';
import { PurgeRefreshTokensJob } from './purge/purge-refresh-tokens.job.js';
import { PurgeRepository } from './purge/purge.repository.js';
import { PurgeRevocationsJob } from './purge/purge-revocations.job.js';
import { PurgeSignInsJob } from './purge/purge-sign-ins.job.js';
import { PurgeSessionsJob } from './purge/purge-sessions.job.js';
import { RedirectSignInRepository } from './redirect/redirect-sign-in.repository.js';
import { RedirectSignInService } from './redirect/redirect-sign-in.service.js';
import { RehearsalService } from './rehearsal/rehearsal.service.js';
import { RefreshService } from './refresh/refresh.service.js';
import { RefreshTokenRepository } from './refresh/refresh-token.repository.js';
import { RevocationFeed } from './revocation/revocation-feed.js';
import { RevocationLog } from './revocation/revocation-log.js';
import { SessionCache } from './session-cache.js';
import { SessionChecker } from './session-checker.js';
import { LivingSessions } from './living-sessions.js';
import { SessionEndings } from './session-endings.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { UserStatusService } from './user-status.service.js';

/**
 * Where every way in meets: owns sessions from `begin` to `end`, their tokens and limits, and the check that every
 * call makes. Users belong to `accounts`; whether a password is right is `local-auth`'s to say.
 */
@Module({
  imports: [
    AccountsModule,
    ApplicationsModule,
    IdentityProvidersModule,
    JobsModule,
    ThrottleModule,
    TimeModule,
  ],
  providers: [
    SessionRepository,
    RefreshTokenRepository,
    {
      provide: SessionCache,
      inject: [SessionsConfig],
      useFactory: (config: SessionsConfig) => new SessionCache(config.cacheEntries),
    },
    RevocationLog,
    RevocationFeed,
    SessionChecker,
    SessionEndings,
    LivingSessions,
    SessionService,
    UserStatusService,
    RefreshService,
    SpentCredentialRepository,
    SignInService,
    NoncesService,
    FederatedAdmission,
    LinkedIdentitiesService,
    RehearsalService,
    RedirectSignInRepository,
    RedirectSignInService,
    PurgeSignInsJob,
    PurgeRepository,
    OverSessions,
    PurgeSessionsJob,
    PurgeRefreshTokensJob,
    PurgeRevocationsJob,
    PurgeGuestsJob,
  ],
  exports: [
    SignInService,
    NoncesService,
    RedirectSignInService,
    LinkedIdentitiesService,
    RehearsalService,
    SessionService,
    SessionEndings,
    LivingSessions,
    UserStatusService,
    SessionChecker,
    RefreshService,
    RevocationFeed,
  ],
})
export class SessionModule {
  constructor(
    metrics: Metrics,
    checker: SessionChecker,
    cache: SessionCache,
    feed: RevocationFeed,
    jobs: JobRegistry,
    purgeSessions: PurgeSessionsJob,
    purgeRefreshTokens: PurgeRefreshTokensJob,
    purgeRevocations: PurgeRevocationsJob,
    purgeGuests: PurgeGuestsJob,
    purgeSignIns: PurgeSignInsJob,
  ) {
    metrics.gauge('ostiary_session_cache_entries', 'Sessions kept in memory.', () => cache.size);
    metrics.gauge(
      'ostiary_revocations_confirmed_seconds',
      'Since when this process knows of every revocation; past 1.5 every check asks the database.',
      () => feed.ageSeconds,
    );
    metrics.gauge(
      'ostiary_session_touches_pending',
      'Uses of sessions, and by users, not written yet.',
      () => checker.touches.size + checker.activity.size,
    );
    for (const job of [purgeSessions, purgeRefreshTokens, purgeRevocations, purgeGuests, purgeSignIns])
      jobs.register(job);
  }
}
