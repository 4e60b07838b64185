/** Who a chat server is about to let in, and with what. */
export interface ChatLogin {
  /** The chat server that asks. */
  readonly chatClientId: number;
  readonly applicationId: number;
  readonly userId: number;
  /** The session whose token was given; null where it was the account's password. */
  readonly session: ChatSession | null;
  /** Which password it was, where it was one: the version of the credential that it was verified against. */
  readonly credentialVersion: number | null;
  /** As the chat server knows the user, which is what it is told to end; 320 characters at most. */
  readonly userName: string;
  /** The virtual host that the chat server named; null where it named none. 255 characters at most. */
  readonly domain: string | null;
}

/** What has to be the same for a login to be the same one as before. */
export interface ChatSession {
  readonly id: number;
  /** Another one after each refresh and each sign-in that changes the token. */
  readonly tokenHash: string;
  /** Another one after each sign-in, also where the token stays. */
  readonly startedAt: number;
}

/** A login with a session's token. */
export type SessionLogin = ChatLogin & { readonly session: ChatSession };

/** A login that is remembered. Instants in milliseconds since the epoch. */
export interface RememberedLogin {
  readonly id: number;
  readonly chatClientId: number;
  readonly applicationId: number;
  readonly userId: number;
  /** Null: with the account's password. */
  readonly sessionId: number | null;
  readonly userName: string;
  readonly domain: string | null;
  readonly endsAt: number | null;
  /** Whether its chat was ended already, because the session ran into a limit. */
  readonly isLapsed: boolean;
}
