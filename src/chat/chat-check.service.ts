import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import type { Application } from '../applications/application.js';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { BrokerError } from '../errors/broker-error.js';
import { DomainEvents } from '../events/domain-events.js';
import { PasswordsService } from '../local-auth/passwords.service.js';
import { errorFields, Logger } from '../observability/logger.js';
import { runAs } from '../observability/request-context.js';
import { hasAccessTokenShape } from '../session/access-token.js';
import { absoluteEnd, expiresAt, type Session } from '../session/session.js';
import { SessionChecker } from '../session/session-checker.js';
import { Throttle } from '../throttle/throttle.js';
import { Clock } from '../time/clock.js';
import type { ChatClient } from './clients/chat-client.js';
import type { ChatLogin } from './endings/chat-login.js';
import { ChatLogins } from './endings/chat-logins.js';
import { chatUserName, parseChatUserName, type ChatUserName } from './user-name.js';
import { denied, UNDECIDED, type ChatAllowed, type ChatQuestion, type Verdict } from './verdict.js';

/** Longer text is no password: it could not have been chosen. In UTF-16 units; a character has at most two. */
const MAX_PASSWORD_UNITS = 2048;

type Asked = Omit<ChatQuestion, 'secret'>;

/**
 * The one rule behind every chat server's question. The secret is a session token of exactly the user and application
 * that the name says, or, where the application allows it, the account password. Whatever cannot be decided is not
 * allowed.
 */
@Injectable()
export class ChatCheckService {
  constructor(
    private readonly applications: ApplicationDirectory,
    private readonly accounts: AccountsService,
    private readonly sessions: SessionChecker,
    private readonly passwords: PasswordsService,
    private readonly throttle: Throttle,
    private readonly logins: ChatLogins,
    private readonly clock: Clock,
    private readonly events: DomainEvents,
    private readonly logger: Logger,
  ) {}

  /** Whether the user may log in with the secret. Does not throw; no promise when all it needs is in memory. */
  check(question: ChatQuestion, client: ChatClient): Verdict | Promise<Verdict> {
    return this.deciding(question.adapter, client, () => {
      const name = parseChatUserName(question.user, question.domain);
      if (name === null) return denied('malformed');
      return this.within(name.applicationId, client, (application) =>
        this.judge(question.secret, name, application, client),
      );
    });
  }

  /**
   * Whose session token this is, for protocols that name no user: who asks goes by the user that is answered.
   * Does not throw; no promise when all it needs is in memory.
   */
  checkToken({ adapter, domain, secret }: Omit<ChatQuestion, 'user'>, client: ChatClient) {
    return this.deciding(adapter, client, () => {
      if (!hasAccessTokenShape(secret)) return denied('token');
      return settled(this.sessions.inspect(secret), (session) => {
        const { userId, applicationId } = session;
        if (userId === null) return denied('token');
        const name = parseChatUserName(chatUserName({ userId, applicationId }), domain);
        if (name === null) return denied('malformed');
        return this.within(applicationId, client, (application) =>
          this.judgeSession(session, name, application, client),
        );
      });
    });
  }

  /**
   * Whether there is an account of that name, with a session or without one, disabled or not: chat servers keep messages
   * for those who are away. Does not throw.
   */
  exists({ adapter, user, domain }: Asked, client: ChatClient): Verdict | Promise<Verdict> {
    return this.deciding(adapter, client, () => {
      const name = parseChatUserName(user, domain);
      if (name === null) return denied('malformed');
      return this.within(name.applicationId, client, async ({ id }) => {
        if (!(await this.accounts.find(id, name.userId))) return denied('application');
        return withoutSession(name);
      });
    });
  }

  /**
   * What somebody who has logged in may do there, as far as `judge` says it of a user of that name. Whether there is one,
   * the chat server has asked before. Does not throw.
   */
  checkRights(
    { adapter, user, domain }: Asked,
    client: ChatClient,
    judge: (person: ChatAllowed) => Verdict,
  ): Verdict | Promise<Verdict> {
    return this.deciding(adapter, client, () => {
      const name = parseChatUserName(user, domain);
      if (name === null) return denied('malformed');
      return this.within(name.applicationId, client, () => judge(withoutSession(name)));
    });
  }

  /** Runs `judge` where the client may ask about the application, and that lets its users chat. */
  private within(
    applicationId: number,
    client: ChatClient,
    judge: (application: Application) => Verdict | Promise<Verdict>,
  ): Verdict | Promise<Verdict> {
    if (client.applicationId !== null && client.applicationId !== applicationId) return denied('application');
    const judgeIt = (application: Application | null) =>
      application?.settings.chat ? judge(application) : denied('application');
    const application = this.applications.peek(applicationId);
    return application ? judgeIt(application) : this.applications.find(applicationId).then(judgeIt);
  }

  private judge(
    secret: string,
    name: ChatUserName,
    application: Application,
    client: ChatClient,
  ): Verdict | Promise<Verdict> {
    // Never tried as a password: a token that has ended would cost a hash each time its app connects again.
    if (hasAccessTokenShape(secret)) return this.judgeToken(secret, name, application, client);
    if (!takesPasswords(application) || !isPassword(secret)) return denied('password');
    return this.judgePassword(secret, name, application, client);
  }

  private judgeToken(
    token: string,
    name: ChatUserName,
    application: Application,
    client: ChatClient,
  ): Verdict | Promise<Verdict> {
    const found = this.sessions.inspect(token);
    if (!(found instanceof Promise)) return this.judgeSession(found, name, application, client);
    return found.then(
      (session) => this.judgeSession(session, name, application, client),
      (error: unknown) => {
        if (!isCode(error, 'session_ended')) throw error;
        return this.refuseToken(name, application, client);
      },
    );
  }

  private judgeSession(
    session: Session,
    name: ChatUserName,
    application: Application,
    client: ChatClient,
  ): Verdict | Promise<Verdict> {
    if (
      session.kind !== 'user' ||
      session.userId !== name.userId ||
      session.applicationId !== application.id ||
      name.applicationId !== application.id
    ) {
      return this.refuseToken(name, application, client);
    }
    const { settings } = application;
    if (settings.chat_checks_count_as_use) this.sessions.noteUse(session, application);
    const usedAt = settings.chat_checks_count_as_use ? this.clock.now() : session.lastUsedAt;
    const expires = expiresAt(session, settings, usedAt);
    return this.allow(
      {
        verdict: 'allow',
        userId: name.userId,
        applicationId: application.id,
        sessionId: session.id,
        expiresAt: expires,
        connectionEndsAt: settings.chat_ends_when_idle ? expires : absoluteEnd(session, settings),
      },
      toLogin(name, client, session, null),
    );
  }

  /**
   * Counts the wrong token where there are passwords to be paused. It pauses no token: a stranger who tries at a name
   * keeps nobody out who has the right one.
   */
  private refuseToken(
    name: ChatUserName,
    application: Application,
    client: ChatClient,
  ): Verdict | Promise<Verdict> {
    if (!takesPasswords(application)) return denied('token');
    return this.throttle.noteRefusal(sourceOf(name, client)).then(() => denied('token'));
  }

  private async judgePassword(
    password: string,
    name: ChatUserName,
    application: Application,
    client: ChatClient,
  ): Promise<Verdict> {
    const asker = { application, address: sourceOf(name, client) };
    const { credentialVersion } = await runAs({ kind: 'chat_client', id: String(client.id) }, () =>
      this.passwords.proveUserId(asker, name.userId, password),
    );
    return this.allow(withoutSession(name), toLogin(name, client, null, credentialVersion));
  }

  private allow(verdict: Verdict, login: ChatLogin): Verdict | Promise<Verdict> {
    const remembering = this.logins.remember(login);
    return remembering instanceof Promise ? remembering.then(() => verdict) : verdict;
  }

  /** Turns what is thrown into a verdict, and tells what was decided. */
  private deciding(
    adapter: string,
    client: ChatClient,
    decide: () => Verdict | Promise<Verdict>,
  ): Verdict | Promise<Verdict> {
    let decision: Verdict | Promise<Verdict>;
    try {
      decision = decide();
    } catch (error) {
      return this.told(adapter, client, this.judgeFailure(error));
    }
    if (!(decision instanceof Promise)) return this.told(adapter, client, decision);
    return decision.then(
      (verdict) => this.told(adapter, client, verdict),
      (error: unknown) => this.told(adapter, client, this.judgeFailure(error)),
    );
  }

  private judgeFailure(error: unknown): Verdict {
    if (error instanceof BrokerError) {
      if (error.code === 'session_ended') return denied('token');
      if (error.code === 'invalid_credentials') return denied('password');
      if (error.code === 'too_many_requests') return denied('throttled');
    }
    const cause =
      error instanceof BrokerError && error.cause === undefined ? { code: error.code } : errorFields(error);
    this.logger.warn(cause, 'chat check undecided');
    return UNDECIDED;
  }

  private told(adapter: string, client: ChatClient, verdict: Verdict): Verdict {
    const outcome =
      verdict.verdict === 'deny' && verdict.reason === 'throttled' ? 'throttled' : verdict.verdict;
    this.events.emit('chat.checked', { adapter, verdict: outcome });
    if (outcome === 'throttled')
      this.logger.warn({ chat_client_id: client.id, adapter }, 'chat check refused: too many tries');
    return verdict;
  }
}

function withoutSession({ userId, applicationId }: ChatUserName): ChatAllowed {
  return {
    verdict: 'allow',
    userId,
    applicationId,
    sessionId: null,
    expiresAt: null,
    connectionEndsAt: null,
  };
}

/** Goes on at once with what is there at once. */
function settled<T>(
  value: T | Promise<T>,
  then: (value: T) => Verdict | Promise<Verdict>,
): Verdict | Promise<Verdict> {
  return value instanceof Promise ? value.then(then) : then(value);
}

/** Whether the account password opens chats; never one that opens no session. */
function takesPasswords({ settings }: Application): boolean {
  return settings.chat_password && settings.password_sign_in.split(',').includes('local');
}

function isPassword(secret: string): boolean {
  return (
    secret !== '' && secret.length <= MAX_PASSWORD_UNITS && secret.isWellFormed() && !secret.includes('\0')
  );
}

function sourceOf(name: ChatUserName, client: ChatClient) {
  return { chatClientId: client.id, userName: chatUserName(name) };
}

function toLogin(
  name: ChatUserName,
  client: ChatClient,
  session: Session | null,
  credentialVersion: number | null,
): ChatLogin {
  return {
    chatClientId: client.id,
    applicationId: name.applicationId,
    userId: name.userId,
    userName: chatUserName(name),
    domain: name.domain,
    session,
    credentialVersion,
  };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof BrokerError && error.code === code;
}
