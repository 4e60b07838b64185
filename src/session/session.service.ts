import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import type { ProfileInput, User } from '../accounts/user.js';
import type { AuditEvent } from '../audit/audit-entry.js';
import { AuditLog } from '../audit/audit-log.js';
import type { Application } from '../applications/application.js';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ApplicationsService } from '../applications/applications.service.js';
import { BrokerError } from '../errors/broker-error.js';
import type { ProviderRef } from '../identity/verified-identity.js';
import { DomainEvents } from '../events/domain-events.js';
import type { SessionEndReason } from '../events/session-words.js';
import { isUniqueViolation } from '../persistence/store-errors.js';
import { Doorbell } from '../persistence/doorbell.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import { newAccessToken, tokenHash } from './access-token.js';
import { FederatedAdmission } from './federated/federated-admission.js';
import type { ProvenIdentity } from './federated/sign-in.service.js';
import { newRefreshToken } from './refresh/refresh-token.js';
import { RefreshTokenRepository } from './refresh/refresh-token.repository.js';
import { GUEST_PROVIDER, limitsAtIssue, sessionEnd, type IssuedLimits, type Session } from './session.js';
import { SessionCache } from './session-cache.js';
import { SessionEndings, type SessionOverReason } from './session-endings.js';
import { SessionRepository } from './session.repository.js';

/** Enough for both identifiers of a new user to be claimed by others in between. */
const SIGN_IN_TRIES = 4;

/** Who a session is for, and how that was proven. */
export type Who =
  | { readonly as: 'application' }
  /** The password was verified against the credential of this version. */
  | { readonly as: 'local'; readonly userId: number; readonly credentialVersion: number }
  /** A provider proved who it is. */
  | ({ readonly as: 'federated' } & ProvenIdentity)
  /** Somebody new, whom nothing but this session identifies. */
  | { readonly as: 'guest'; readonly profile: ProfileInput };

export interface BeginSession {
  readonly application: Application;
  readonly who: Who;
  /** Limits other than the application's, for faces whose sessions do not slide. */
  readonly limits?: IssuedLimits;
}

/** `keep` is for faces whose clients cannot take a new token; anybody who knew the old one keeps the session. */
export type TokenMode = 'rotate' | 'keep';

export interface BegunSession {
  readonly session: Session;
  /** The access token, known here and never again. Null where the client keeps the one it has. */
  readonly token: string | null;
  /** Likewise; null where the application has none, nobody is signed in, or the client keeps its token. */
  readonly refreshToken: string | null;
  readonly user: User | null;
  /** The guest who was signed in before and is another user than the one who is now; they stay as they are. */
  readonly replacedGuestId: number | null;
}

/** Where every way in meets. Sessions begin here and nowhere else. */
@Injectable()
export class SessionService {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly refreshTokens: RefreshTokenRepository,
    private readonly cache: SessionCache,
    private readonly endings: SessionEndings,
    private readonly accounts: AccountsService,
    private readonly federated: FederatedAdmission,
    private readonly applications: ApplicationsService,
    private readonly directory: ApplicationDirectory,
    private readonly transactions: Transactions,
    private readonly doorbell: Doorbell,
    private readonly audit: AuditLog,
    private readonly events: DomainEvents,
    private readonly clock: Clock,
  ) {}

  /**
   * Begins a session. One transaction re-reads the user, or finds, links or creates the one an identity leads to, and
   * issues.
   *
   * @throws BrokerError `invalid_credentials` when the user is disabled, gone, or has another credential by now; for an
   *   identity also what `FederatedAdmission.admit` throws.
   */
  begin({ application, who, limits }: BeginSession): Promise<BegunSession> {
    const token = newAccessToken();
    return this.signingIn(who, async () => {
      const now = this.clock.now();
      const { facts, ...admitted } = await this.issue(application, who, limits, now, null);
      const session = { ...facts, tokenHash: tokenHash(token), createdAt: now };
      const id = await this.sessions.insert(session);
      const begun = { id, ...session };
      const refreshToken = await this.beginFamily(application, begun, now);
      await this.recordSignIn(begun);
      this.announceBegun(application, session.kind, session.provider);
      return { session: begun, token, refreshToken, ...admitted };
    });
  }

  /**
   * Signs a user in on a session that is there already. Its limits run anew, because somebody proved who they are.
   *
   * @throws BrokerError as `begin`; `session_ended` when the session was ended or given another token meanwhile.
   */
  upgrade(
    current: Session,
    { application, who, limits }: BeginSession,
    mode: TokenMode = 'rotate',
  ): Promise<BegunSession> {
    return this.signingIn(who, async () => {
      const now = this.clock.now();
      const { facts, ...admitted } = await this.issue(application, who, limits, now, current);
      const begun = await this.replace(current, facts, mode);
      // What the caller knows of a session that keeps its token may be older than its row.
      if (current.kind === 'user' || mode === 'keep') {
        await this.endingOf(begun.session, 'signed_over', facts.userId);
      }
      const refreshToken =
        begun.token === null ? null : await this.beginFamily(application, begun.session, facts.lastUsedAt);
      await this.recordSignIn(begun.session);
      this.announceBegun(application, facts.kind, facts.provider);
      return { ...begun, refreshToken, ...admitted };
    });
  }

  /** Signs the user out and keeps the application's session, with the absolute end it has. */
  async downgrade(current: Session, mode: TokenMode = 'rotate'): Promise<BegunSession> {
    const application = await this.directory.find(current.applicationId);
    if (!application) throw new BrokerError('session_ended');
    return this.transactions.run(async () => {
      const now = this.clock.now();
      const fresh = limitsAtIssue(application.settings, null, now);
      // A guest's session has no absolute end; the application session it leaves behind has one from now on.
      const keptEnd = current.provider === GUEST_PROVIDER ? null : current.absoluteExpiresAt;
      const facts: IssuedFacts = {
        applicationId: current.applicationId,
        kind: 'application',
        userId: null,
        provider: null,
        amr: [],
        authTime: null,
        startedAt: keptEnd === null ? now : current.startedAt,
        lastUsedAt: now,
        idleSeconds: fresh.idleSeconds,
        absoluteExpiresAt: keptEnd ?? fresh.absoluteExpiresAt,
      };
      const begun = await this.replace(current, facts, mode);
      await this.endingOf(current, 'signed_out');
      await this.audit.record({ act: 'sign_out', ...subjectOf(current) });
      this.announceEnded(current.applicationId, 'ended', 1);
      return { ...begun, refreshToken: null, user: null, replacedGuestId: null };
    });
  }

  /** Ends a session; ending one that is over already is no error. */
  end(session: Session): Promise<void> {
    return this.endFor(session, 'ended', { act: 'session.ended', reason: 'ended' });
  }

  /** Ends a session whose refresh token was presented by two: neither of them can be trusted to be its user. */
  endReplayed(session: Session): Promise<void> {
    const entry = { act: 'refresh.replayed', outcome: 'refused', reason: 'refresh_replayed' } as const;
    return this.endFor(session, 'refresh_replayed', entry);
  }

  /** @throws BrokerError `session_not_found` when the user has no such living session. */
  async endOne(current: Session, id: number): Promise<void> {
    await this.transactions.run(async () => {
      const hash = await this.sessions.endOfUser(userOf(current), id, 'ended_by_user', this.clock.now());
      if (hash === null) throw new BrokerError('session_not_found');
      const { applicationId, userId } = current;
      const reason = 'ended_by_user';
      await this.endingOf({ id, applicationId }, reason);
      await this.audit.record({ act: 'session.ended', applicationId, userId, sessionId: id, reason });
      this.forget([hash], current.applicationId, 'ended_by_user');
    });
  }

  /** Ends every other session of the session's user. */
  endOthers(current: Session, reason: SessionEndReason = 'ended_by_user'): Promise<void> {
    return this.endAllOf(current.applicationId, userOf(current), reason, current.id);
  }

  /** Ends every session of a user, but for one if named. Joins the caller's transaction. */
  async endAllOf(
    applicationId: number,
    userId: number,
    reason: SessionEndReason,
    exceptId?: number,
  ): Promise<void> {
    await this.transactions.run(async () => {
      const hashes = await this.sessions.endAllOfUser(userId, reason, this.clock.now(), exceptId);
      const count = hashes.length;
      const exceptSessionId = exceptId ?? null;
      await this.endings.announce({ what: 'user', applicationId, userId, exceptSessionId, reason });
      if (count > 0) {
        await this.audit.record({ act: 'sessions.ended', applicationId, userId, reason, details: { count } });
      }
      this.forget(hashes, applicationId, reason);
    });
  }

  /** Ends every session of an application, however many, with one write. Joins the caller's transaction. */
  async endAllOfApplication(applicationId: number): Promise<void> {
    await this.transactions.run(async () => {
      const upToSessionId = await this.sessions.lastId();
      await this.applications.endSessionsUpTo(applicationId, upToSessionId);
      const reason = 'application_ended';
      await this.endings.announce({ what: 'application', applicationId, upToSessionId, reason });
      await this.audit.record({ act: 'application.sessions_ended', applicationId });
    });
  }

  /**
   * The living sessions of the session's user, newest first.
   *
   * @param beforeId lists only ids below it. @returns `nextBeforeId` where there may be more.
   */
  async list(
    current: Session,
    { beforeId, limit }: { beforeId?: number; limit: number },
  ): Promise<{ sessions: Session[]; nextBeforeId: number | null }> {
    const stored = await this.sessions.listOfUser(
      userOf(current),
      beforeId ?? Number.MAX_SAFE_INTEGER,
      limit,
    );
    const application = await this.directory.find(current.applicationId);
    const now = this.clock.now();
    const living = stored.filter(
      (session) =>
        application &&
        session.id > application.sessionsEndedUpTo &&
        sessionEnd(session, application.settings, now) === null,
    );
    return { sessions: living, nextBeforeId: stored.length === limit ? stored.at(-1)!.id : null };
  }

  private async endFor(
    session: Session,
    reason: SessionEndReason,
    entry: Pick<AuditEvent, 'act' | 'outcome' | 'reason'>,
  ): Promise<void> {
    await this.transactions.run(async () => {
      const hash = await this.sessions.end(session.id, reason, this.clock.now());
      if (hash === null) return;
      // An application session is nobody's, and every copy of an app begins and ends them.
      if (session.userId !== null) {
        await this.endingOf(session, reason);
        await this.audit.record({ ...entry, ...subjectOf(session) });
      }
      this.forget([hash], session.applicationId, reason);
    });
  }

  /** Tells of one session, whose row is written already. */
  private endingOf(
    { id, applicationId }: Pick<Session, 'id' | 'applicationId'>,
    reason: SessionOverReason,
    stillOf: number | null = null,
  ): Promise<void> {
    return this.endings.announce({ what: 'sessions', applicationId, sessionIds: [id], stillOf, reason });
  }

  private async recordSignIn(session: Session): Promise<void> {
    if (session.userId === null || session.provider === null) return;
    const details = { provider: session.provider };
    await this.audit.record({ act: 'sign_in', ...subjectOf(session), details });
  }

  /** Somebody proved who they are at a provider, and did not get in. The sign-in's own transaction is undone by now. */
  private async recordRefusal({ applicationId, slug }: ProviderRef, error: unknown): Promise<void> {
    if (!(error instanceof BrokerError)) return;
    this.events.emit('sign-in.refused', { applicationId, provider: slug, reason: 'refused_by_policy' });
    await this.audit.record({
      act: 'sign_in',
      applicationId,
      outcome: 'refused',
      reason: error.code,
      details: { provider: slug },
    });
  }

  /** The first refresh token, where the application has them and somebody is signed in. */
  private async beginFamily(application: Application, session: Session, now: number): Promise<string | null> {
    if (session.kind !== 'user' || !application.settings.refresh_tokens) return null;
    const token = newRefreshToken();
    await this.refreshTokens.insert({
      tokenHash: tokenHash(token),
      accessTokenHash: session.tokenHash,
      sessionId: session.id,
      now,
    });
    return token;
  }

  /**
   * The transaction of a sign-in. Two people who claim one identifier at once meet the database's unique key; the whole
   * is decided again by whoever comes second.
   */
  private async signingIn<T>(who: Who, work: () => Promise<T>): Promise<T> {
    const tries = who.as === 'federated' ? SIGN_IN_TRIES : 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.transactions.run(work);
      } catch (error) {
        if (attempt < tries && isUniqueViolation(error)) continue;
        if (who.as === 'federated') await this.recordRefusal(who.identity.provider, error);
        throw error;
      }
    }
  }

  private async issue(
    application: Application,
    who: Who,
    limits: IssuedLimits | undefined,
    now: number,
    current: Session | null,
  ): Promise<{ facts: IssuedFacts; user: User | null; replacedGuestId: number | null }> {
    const { user, replacedGuestId } = await this.admit(application, who, current);
    const provider = providerOf(who);
    const facts: IssuedFacts = {
      applicationId: application.id,
      kind: user ? 'user' : 'application',
      userId: user?.id ?? null,
      provider,
      amr: who.as === 'local' ? ['pwd'] : who.as === 'federated' ? who.identity.amr : [],
      // A provider may say that it asked the person long ago; a clock that is ahead of ours proves nothing.
      authTime: who.as === 'federated' ? Math.min(now, who.identity.authTime.getTime()) : user ? now : null,
      startedAt: now,
      lastUsedAt: now,
      ...(limits ?? limitsAtIssue(application.settings, provider, now)),
    };
    return { facts, user, replacedGuestId };
  }

  /** The user the session will be for, as the database has it inside this transaction. */
  private async admit(
    application: Application,
    who: Who,
    current: Session | null,
  ): Promise<{ user: User | null; replacedGuestId: number | null }> {
    if (who.as === 'federated') return this.federated.admit(who, current);
    return { user: await this.admitOwn(application, who), replacedGuestId: null };
  }

  private async admitOwn(
    application: Application,
    who: Exclude<Who, { readonly as: 'federated' }>,
  ): Promise<User | null> {
    if (who.as === 'application') return null;
    if (who.as === 'guest') return this.accounts.createGuest(application.id, who.profile);
    const user = await this.accounts.findForSignIn(application.id, who.userId);
    // Disabled, deleted or given another password while the old one was being verified.
    if (!user || user.disabled || user.credentialVersion !== who.credentialVersion) {
      throw new BrokerError('invalid_credentials');
    }
    return user;
  }

  private async replace(
    current: Session,
    facts: IssuedFacts,
    mode: TokenMode,
  ): Promise<{ session: Session; token: string | null }> {
    const token = mode === 'rotate' ? newAccessToken() : null;
    const session: Session = {
      ...facts,
      id: current.id,
      createdAt: current.createdAt,
      tokenHash: token === null ? current.tokenHash : tokenHash(token),
    };
    if (!(await this.sessions.replace(current.id, current.tokenHash, session)))
      throw new BrokerError('session_ended');
    if (current.kind === 'user') await this.refreshTokens.removeOfSession(current.id);
    this.transactions.afterEnd(() => this.cache.drop(current.tokenHash));
    this.transactions.afterCommit(() => this.doorbell.ring());
    return { session, token };
  }

  /** Drops revoked sessions from this process before the revocation is answered, and tells the others. */
  private forget(hashes: readonly string[], applicationId: number, reason: SessionEndReason): void {
    if (hashes.length === 0) return;
    this.transactions.afterEnd(() => hashes.forEach((hash) => this.cache.drop(hash)));
    this.transactions.afterCommit(() => this.doorbell.ring());
    this.announceEnded(applicationId, reason, hashes.length);
  }

  private announceBegun(application: Application, kind: Session['kind'], provider: string | null): void {
    this.transactions.afterCommit(() =>
      this.events.emit('session.begun', { applicationId: application.id, kind, provider }),
    );
  }

  private announceEnded(applicationId: number, reason: SessionEndReason, count: number): void {
    this.transactions.afterCommit(() => this.events.emit('session.ended', { applicationId, reason, count }));
  }
}

/** Whom and what an entry of the audit log is about. */
function subjectOf({ id, applicationId, userId }: Session) {
  return { applicationId, userId, sessionId: id };
}

/** What a session says it was begun with. */
function providerOf(who: Who): string | null {
  switch (who.as) {
    case 'local':
      return 'password';
    case 'guest':
      return GUEST_PROVIDER;
    case 'federated':
      return who.identity.provider.slug;
    case 'application':
      return null;
  }
}

type IssuedFacts = Omit<Session, 'id' | 'tokenHash' | 'createdAt'>;

function userOf(session: Session): number {
  if (session.userId === null) throw new BrokerError('user_session_required');
  return session.userId;
}
