import { Injectable } from '@nestjs/common';
import type { Application } from '../../applications/application.js';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import { BrokerError } from '../../errors/broker-error.js';
import { DomainEvents } from '../../events/domain-events.js';
import { Logger } from '../../observability/logger.js';
import { Doorbell } from '../../persistence/doorbell.js';
import { Transactions } from '../../persistence/transactions.js';
import { Secrets } from '../../secrets/secrets.js';
import { Clock } from '../../time/clock.js';
import { tokenHash } from '../access-token.js';
import { decideRefresh, type RefreshDecision, type StoredRefreshToken } from './refresh.js';
import { isRefreshToken, successorsOf, type Successor } from './refresh-token.js';
import { RefreshTokenRepository } from './refresh-token.repository.js';
import { SessionCache } from '../session-cache.js';
import type { Session } from '../session.js';
import { SessionRepository } from '../session.repository.js';
import { SessionService } from '../session.service.js';

export interface RefreshedSession extends Successor {
  readonly application: Application;
  readonly session: Session;
}

/** Losing to another process more often than this means that something else is wrong. */
const MOST_ROUNDS = 5;

/** Trades a refresh token for the next access and refresh token of its session (RFC 6749 §6, RFC 9700 §4.14). */
@Injectable()
export class RefreshService {
  constructor(
    private readonly refreshTokens: RefreshTokenRepository,
    private readonly sessions: SessionRepository,
    private readonly sessionService: SessionService,
    private readonly cache: SessionCache,
    private readonly applications: ApplicationDirectory,
    private readonly secrets: Secrets,
    private readonly transactions: Transactions,
    private readonly doorbell: Doorbell,
    private readonly events: DomainEvents,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Whose refresh token this is, used or not, unless somebody has ended the session; nothing is changed. */
  async sessionOf(token: string): Promise<Session | null> {
    if (!isRefreshToken(token)) return null;
    const stored = await this.refreshTokens.find(tokenHash(token));
    return stored === null || stored.isRevoked ? null : stored.session;
  }

  /**
   * The next generation of the session's tokens; the same ones again for a token that was used a moment ago, from
   * whichever process. A session that idled out lives again; its absolute end stays where it is. A token that was used
   * longer ago ends the session.
   *
   * @param admit throws where this caller may not refresh sessions of the application; then nothing was changed.
   * @throws BrokerError `session_ended`: the token is unknown, expired, replayed, or its session is over.
   */
  async refresh(token: string, admit: (application: Application) => void): Promise<RefreshedSession> {
    if (!isRefreshToken(token)) throw this.refuse('unknown');
    const hash = tokenHash(token);
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const stored = await this.refreshTokens.find(hash);
      const application = stored && (await this.applications.find(stored.session.applicationId));
      if (!stored || !application) throw this.refuse('unknown');
      admit(application);
      const { settings, sessionsEndedUpTo } = application;
      const decision = decideRefresh(stored, settings, sessionsEndedUpTo, this.clock.now());
      if (decision === 'repeat') return this.repeat(token, application, stored.session);
      if (decision !== 'rotate') throw await this.refuseStored(decision, stored);
      const refreshed = await this.rotate(token, hash, application, stored);
      if (refreshed) return refreshed;
      // Somebody was first: another refresh with the same token, whose answer is ours too, or an end of the session.
    }
    throw new BrokerError('busy', { retryAfterSeconds: 1 });
  }

  private async rotate(
    token: string,
    hash: string,
    application: Application,
    { session: present }: StoredRefreshToken,
  ): Promise<RefreshedSession | null> {
    const successor = successorsOf(token, (purpose, text) => this.secrets.macs(purpose, text))[0]!;
    const now = this.clock.now();
    const session = { ...present, tokenHash: tokenHash(successor.accessToken), lastUsedAt: now };
    const isOurs = await this.transactions.run(async () => {
      // The session's row is what everybody who changes its tokens has to get past: one of any number gets here.
      if (!(await this.sessions.rotate(present.id, present.tokenHash, session.tokenHash, now))) return false;
      await this.refreshTokens.succeed(
        { tokenHash: hash, accessTokenHash: present.tokenHash },
        {
          tokenHash: tokenHash(successor.refreshToken),
          accessTokenHash: session.tokenHash,
          sessionId: present.id,
          now,
        },
      );
      this.transactions.afterEnd(() => this.cache.drop(present.tokenHash));
      this.transactions.afterCommit(() => this.doorbell.ring());
      return true;
    });
    if (!isOurs) return null;
    this.events.emit('session.refreshed', { outcome: 'rotated' });
    return { ...successor, application, session };
  }

  private async repeat(token: string, application: Application, session: Session): Promise<RefreshedSession> {
    const successor =
      (await this.successorGiven(token)) ??
      (this.secrets.refresh() ? await this.successorGiven(token) : null);
    // It was derived under a key that has been retired since.
    if (!successor) throw this.refuse('unknown');
    this.events.emit('session.refreshed', { outcome: 'repeated' });
    return { ...successor, application, session };
  }

  /** Of the successors that the keys in force lead to, the one that was given out: a key may have changed meanwhile. */
  private async successorGiven(token: string): Promise<Successor | null> {
    for (const successor of successorsOf(token, (purpose, text) => this.secrets.macs(purpose, text))) {
      if (await this.refreshTokens.exists(tokenHash(successor.refreshToken))) return successor;
    }
    return null;
  }

  private async refuseStored(
    decision: Exclude<RefreshDecision, 'rotate' | 'repeat'>,
    { session }: StoredRefreshToken,
  ): Promise<BrokerError> {
    if (decision === 'replayed') await this.sessionService.endReplayed(session);
    return this.refuse(decision, session);
  }

  private refuse(
    outcome: Exclude<RefreshDecision, 'rotate' | 'repeat'> | 'unknown',
    session?: Session,
  ): BrokerError {
    this.events.emit('session.refreshed', { outcome });
    const fields = { outcome, application_id: session?.applicationId, session_id: session?.id };
    // Somebody holds a token that is not theirs: whoever is on watch wants to see that.
    this.logger[outcome === 'replayed' ? 'warn' : 'debug'](fields, 'refresh refused');
    return new BrokerError('session_ended');
  }
}
