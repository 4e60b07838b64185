/** A chat server that may ask whether a user may log in. Its secret is known to its holder only. */
export interface ChatClient {
  readonly id: number;
  /** For people. */
  readonly name: string;
  /** Whose users it may ask about; null: those of every application. */
  readonly applicationId: number | null;
  /** Whether it is known how its live connections are ended. */
  readonly hasAdministration: boolean;
  readonly createdAt: number;
  /** Null while it is in force. */
  readonly revokedAt: number | null;
  /** To the minute; null before the first use. */
  readonly lastUsedAt: number | null;
}
