import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import type { Application } from '../applications/application.js';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { SessionsConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { DomainEvents } from '../events/domain-events.js';
import { Logger } from '../observability/logger.js';
import { Clock } from '../time/clock.js';
import { tokenHash } from './access-token.js';
import { idleLimit, sessionEnd, touchStep, type Session } from './session.js';
import { SessionCache } from './session-cache.js';
import { SessionRepository } from './session.repository.js';
import { TouchBuffer } from './touch-buffer.js';

/** Why a token was refused. One answer to the client, one word each in the log and the metrics. */
export type SessionRefusal = 'unknown' | 'revoked' | 'expired';

/**
 * The hot path: token in, living session out. Answers without a promise when the session and its application are in
 * memory, so that most calls cost one hash and two look-ups.
 */
@Injectable()
export class SessionChecker implements OnApplicationShutdown {
  readonly cache: SessionCache;
  readonly touches: TouchBuffer;
  /** Uses by user: in a buffer of their own, as a batch that is in the order of sessions is in no order of users. */
  readonly activity: TouchBuffer;

  constructor(
    private readonly sessions: SessionRepository,
    private readonly applications: ApplicationDirectory,
    accounts: AccountsService,
    private readonly clock: Clock,
    private readonly events: DomainEvents,
    private readonly logger: Logger,
    config: SessionsConfig,
  ) {
    this.cache = new SessionCache(config.cacheEntries);
    this.touches = new TouchBuffer(
      (touches) => this.sessions.touch(touches.map(({ id, at }) => ({ sessionId: id, at }))),
      config.touchFlushMilliseconds,
      logger,
    );
    this.activity = new TouchBuffer(
      (touches) => accounts.noteActivity(touches.map(({ id, at }) => ({ userId: id, at }))),
      config.touchFlushMilliseconds,
      logger,
    );
  }

  /** After the last request was answered, whose use is to be written too, and before the database is closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.touches.flush();
    await this.activity.flush();
  }

  /**
   * The living session behind a token; the call counts as a use of it.
   *
   * @throws BrokerError `session_ended`
   */
  check(token: string): Session | Promise<Session> {
    const hash = tokenHash(token);
    const session = this.cache.peek(hash);
    const application = session && this.applications.peek(session.applicationId);
    return application ? this.judge(session, application) : this.lookUp(hash);
  }

  private async lookUp(hash: string): Promise<Session> {
    const session = this.cache.peek(hash) ?? (await this.cache.read(hash, () => this.load(hash)));
    if (!session) throw this.refuse('unknown');
    const application = await this.applications.find(session.applicationId);
    if (!application) throw this.refuse('revoked', session);
    return this.judge(session, application);
  }

  /** Ended sessions are not worth a place in memory. */
  private async load(hash: string): Promise<Session | null> {
    const stored = await this.sessions.findByTokenHash(hash);
    if (!stored) return null;
    if (stored.endReason !== null) throw this.refuse('revoked', stored.session);
    const pendingUse = this.touches.pendingAt(stored.session.id) ?? 0;
    if (pendingUse > stored.session.lastUsedAt) stored.session.lastUsedAt = pendingUse;
    return stored.session;
  }

  private judge(session: Session, application: Application): Session {
    const now = this.clock.now();
    if (session.id <= application.sessionsEndedUpTo) throw this.refuse('revoked', session);
    if (sessionEnd(session, application.settings, now) !== null) throw this.refuse('expired', session);
    const idle = idleLimit(session, application.settings);
    if (idle !== null) this.touch(session, touchStep(idle), now);
    return session;
  }

  private touch(session: Session, step: number, now: number): void {
    if (now - session.lastUsedAt < step) return;
    session.lastUsedAt = now;
    this.touches.add({ id: session.id, at: now }, step / 10);
    if (session.userId !== null) this.activity.add({ id: session.userId, at: now }, step / 10);
  }

  private refuse(reason: SessionRefusal, session?: Session): BrokerError {
    if (session) this.cache.drop(session.tokenHash);
    this.events.emit('session.refused', { reason });
    this.logger.debug({ reason, session_id: session?.id }, 'session refused');
    return new BrokerError('session_ended');
  }
}
