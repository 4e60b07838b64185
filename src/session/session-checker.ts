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
import { RefreshTokenRepository } from './refresh/refresh-token.repository.js';
import { REFRESH_GRACE_MILLISECONDS } from './refresh/refresh.js';
import { CONFIRMED_FOR_MILLISECONDS, RevocationFeed } from './revocation/revocation-feed.js';
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
  readonly touches: TouchBuffer;
  /** Uses by user: in a buffer of their own, as a batch that is in the order of sessions is in no order of users. */
  readonly activity: TouchBuffer;

  constructor(
    private readonly cache: SessionCache,
    private readonly feed: RevocationFeed,
    private readonly sessions: SessionRepository,
    private readonly refreshTokens: RefreshTokenRepository,
    private readonly applications: ApplicationDirectory,
    accounts: AccountsService,
    private readonly clock: Clock,
    private readonly events: DomainEvents,
    private readonly logger: Logger,
    config: SessionsConfig,
  ) {
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
    return this.find(token, true);
  }

  /**
   * The living session behind a token; asking is no use of it. For whoever has to see the session before they know
   * whether it may be used, and then says so with `noteUse`.
   *
   * @throws BrokerError `session_ended`
   */
  inspect(token: string): Session | Promise<Session> {
    return this.find(token, false);
  }

  /** Counts as a use of a living session. */
  noteUse(session: Session, application: Application): void {
    this.use(session, application, this.clock.now());
  }

  private find(token: string, isUse: boolean): Session | Promise<Session> {
    const hash = tokenHash(token);
    // Compared on every call: timers stand still while the process is stopped, and this must not.
    const isConfirmed = this.clock.monotonic() - this.feed.confirmedAt <= CONFIRMED_FOR_MILLISECONDS;
    const session = isConfirmed ? this.cache.peek(hash) : undefined;
    if (!session) return this.lookUp(hash, isUse);
    const application = this.applications.peek(session.applicationId);
    if (!application) return this.lookUp(hash, isUse);
    const now = this.clock.now();
    // Over, as far as this process knows: another one may have seen it used since.
    if (!isLiving(session, application, now)) return this.lookUp(hash, isUse);
    return isUse ? this.use(session, application, now) : session;
  }

  private async lookUp(hash: string, isUse: boolean): Promise<Session> {
    const session =
      (await this.cache.read(hash, this.clock.monotonic(), CONFIRMED_FOR_MILLISECONDS, () =>
        this.load(hash),
      )) ?? (await this.loadSuperseded(hash));
    if (!session) throw this.refuse('unknown');
    const application = await this.applications.find(session.applicationId);
    if (!application) throw this.refuse('revoked', session);
    const now = this.clock.now();
    if (session.id <= application.sessionsEndedUpTo) throw this.refuse('revoked', session);
    if (!isLiving(session, application, now)) throw this.refuse('expired', session);
    return isUse ? this.use(session, application, now) : session;
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

  /**
   * The session of an access token that a refresh has replaced a moment ago: requests that were on their way with it
   * are still answered. Never kept in memory, so that nothing has to be told when the moment is over.
   */
  private loadSuperseded(hash: string): Promise<Session | null> {
    return this.refreshTokens.findSessionOfSuperseded(hash, this.clock.now() - REFRESH_GRACE_MILLISECONDS);
  }

  private use(session: Session, application: Application, now: number): Session {
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

function isLiving(session: Session, application: Application, now: number): boolean {
  return (
    session.id > application.sessionsEndedUpTo && sessionEnd(session, application.settings, now) === null
  );
}
