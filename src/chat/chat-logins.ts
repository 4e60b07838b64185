import type { Session } from '../session/session.js';

/** Somebody is about to be let into a chat server. */
export interface ChatLogin {
  readonly chatClientId: number;
  readonly applicationId: number;
  readonly userId: number;
  /** As `userId-applicationId`. */
  readonly userName: string;
  /** Lower-cased; null where the chat server names none. */
  readonly domain: string | null;
  /** Whose token was presented; null where it was the account password. */
  readonly session: Session | null;
  /** Which of the user's passwords it was; null where it was a token. */
  readonly credentialVersion: number | null;
}

/** Remembers which sessions and passwords opened a chat, so that their end can be the chat's. */
export abstract class ChatLogins {
  /**
   * To be called before the chat server is told yes. No promise when it is remembered already.
   *
   * @throws BrokerError `session_ended`, `invalid_credentials` when the session or the password is not in force any
   *   more; then nobody may be let in.
   */
  abstract remember(login: ChatLogin): void | Promise<void>;
}

/** Remembers nothing. */
export class ForgetfulChatLogins extends ChatLogins {
  override remember(): void {}
}
