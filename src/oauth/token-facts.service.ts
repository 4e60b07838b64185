import { Injectable } from '@nestjs/common';
import type { Application } from '../applications/application.js';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ChatCheckService } from '../chat/chat-check.service.js';
import { BrokerError } from '../errors/broker-error.js';
import type { RawRequest } from '../http/raw/raw-routes.js';
import { runAs } from '../observability/request-context.js';
import { hasAccessTokenShape } from '../session/access-token.js';
import { RefreshService } from '../session/refresh/refresh.service.js';
import type { Session } from '../session/session.js';
import { SessionChecker } from '../session/session-checker.js';
import { SessionService } from '../session/session.service.js';
import type { OAuthCaller } from './oauth-callers.js';

/** A living session that the caller may know of, with its application. */
export interface KnownToken {
  readonly session: Session;
  readonly application: Application;
}

/** What callers may know of tokens and do to them: an application its own, a chat server those of its users. */
@Injectable()
export class TokenFactsService {
  constructor(
    private readonly checks: ChatCheckService,
    private readonly checker: SessionChecker,
    private readonly sessions: SessionService,
    private readonly refreshes: RefreshService,
    private readonly applications: ApplicationDirectory,
  ) {}

  /**
   * The living session of an access token. To a chat server that is a log-in: it goes by the chat's rule, which knows no
   * sessions without a user.
   *
   * @returns null for what is unknown, over or foreign. @throws BrokerError `store_unavailable` when nobody can say.
   */
  async introspect(token: string, caller: OAuthCaller): Promise<KnownToken | null> {
    if (!hasAccessTokenShape(token)) return null;
    if (caller.kind === 'chat_client') {
      const question = { adapter: 'introspection', domain: null, secret: token };
      const { verdict } = await this.checks.checkToken(question, caller.client);
      if (verdict === 'undecided') throw new BrokerError('store_unavailable', { retryAfterSeconds: 2 });
      if (verdict === 'deny') return null;
    }
    const session = await this.livingSession(token);
    if (!session || !mayKnow(session, caller)) return null;
    const application = await this.applications.find(session.applicationId);
    return application && { session, application };
  }

  /** Ends the session of an access or refresh token; does nothing to what is unknown, over or foreign. */
  async revoke(token: string, caller: OAuthCaller, request: RawRequest): Promise<void> {
    const session = hasAccessTokenShape(token)
      ? await this.livingSession(token)
      : await this.refreshes.sessionOf(token);
    if (!session || !mayKnow(session, caller)) return;
    const id = caller.kind === 'chat_client' ? caller.client.id : caller.application.id;
    const actor = { kind: caller.kind, id: String(id) };
    const from = { id: request.id, address: request.address() };
    await runAs(actor, () => this.sessions.end(session), from);
  }

  private async livingSession(token: string): Promise<Session | null> {
    try {
      return await this.checker.inspect(token);
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'session_ended') return null;
      throw error;
    }
  }
}

function mayKnow(session: Session, caller: OAuthCaller): boolean {
  if (caller.kind === 'application') return session.applicationId === caller.application.id;
  const { applicationId } = caller.client;
  return session.userId !== null && (applicationId === null || session.applicationId === applicationId);
}
