import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { Metrics } from '../observability/metrics.js';
import { TimeModule } from '../time/time.module.js';
import { SessionChecker } from './session-checker.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { UserStatusService } from './user-status.service.js';

/**
 * Where every way in meets: owns sessions from `begin` to `end`, their tokens and limits, and the check that every
 * call makes. Users belong to `accounts`; whether a password is right is `local-auth`'s to say.
 */
@Module({
  imports: [AccountsModule, ApplicationsModule, TimeModule],
  providers: [SessionRepository, SessionChecker, SessionService, UserStatusService],
  exports: [SessionService, SessionChecker, UserStatusService],
})
export class SessionModule {
  constructor(metrics: Metrics, checker: SessionChecker) {
    metrics.gauge('ostiary_session_cache_entries', 'Sessions kept in memory.', () => checker.cache.size);
    metrics.gauge(
      'ostiary_session_touches_pending',
      'Uses of sessions, and by users, not written yet.',
      () => checker.touches.size + checker.activity.size,
    );
  }
}
