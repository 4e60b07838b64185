/** What a chat server asks: may this user log in with this secret? Texts are as they came. */
export interface ChatQuestion {
  /** Who asks in which protocol, for the metrics: a word of ours. */
  readonly adapter: string;
  readonly user: string;
  /** Null where the chat server names none. */
  readonly domain: string | null;
  readonly secret: string;
}

/** Why somebody may not log in: for the metrics and the log, and never for the chat server. */
export type ChatRefusal = 'malformed' | 'application' | 'token' | 'password' | 'throttled';

export interface ChatAllowed {
  readonly verdict: 'allow';
  readonly userId: number;
  readonly applicationId: number;
  /** Null where the account password was used. */
  readonly sessionId: number | null;
  /** Until when the session lives if it is not used again, in milliseconds since the epoch; null: no such moment. */
  readonly expiresAt: number | null;
  /**
   * When a connection that is opened now has to be over, whatever happens until then: for servers that can be told. Null:
   * no such moment. Idling counts only where the application's `chat_ends_when_idle` is on.
   */
  readonly connectionEndsAt: number | null;
}

export interface ChatDenied {
  readonly verdict: 'deny';
  readonly reason: ChatRefusal;
}

/** The answer to a chat server's question. Undecided: whoever asks must let nobody in, and may ask again. */
export type Verdict = ChatAllowed | ChatDenied | { readonly verdict: 'undecided' };

export const UNDECIDED: Verdict = { verdict: 'undecided' };

const denials: Readonly<Record<ChatRefusal, ChatDenied>> = {
  malformed: { verdict: 'deny', reason: 'malformed' },
  application: { verdict: 'deny', reason: 'application' },
  token: { verdict: 'deny', reason: 'token' },
  password: { verdict: 'deny', reason: 'password' },
  throttled: { verdict: 'deny', reason: 'throttled' },
};

export function denied(reason: ChatRefusal): ChatDenied {
  return denials[reason];
}
