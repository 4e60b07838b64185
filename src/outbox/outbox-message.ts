/** What there is to be told to somebody outside. */
export interface NewMessage {
  readonly topic: string;
  /**
   * Whom it goes to, in words of ours such as `chat-client:7`. Messages to one target are delivered in about their
   * order; what one target does, or does not answer, holds up no other.
   */
  readonly target: string;
  /** Plain data, small, and never a secret: it is stored as it is. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** As long as a message with this key is there, another one with it is not added. */
  readonly deduplicationKey?: string;
  /** Not before this instant; at once where it is left out. Milliseconds since the epoch, as all instants here. */
  readonly dueAt?: number;
}

/** A message as it is to be delivered. */
export interface OutboxMessage {
  /** Stays the same however often delivery is tried: what the other side recognises a repetition by. */
  readonly id: number;
  readonly topic: string;
  readonly target: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly createdAt: number;
  readonly giveUpAt: number;
}

/** A message as an operator sees it. What it says is nobody's business here. */
export interface OutboxEntry {
  readonly id: number;
  readonly topic: string;
  readonly target: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly createdAt: number;
  /** Null: given up. Of one that is being delivered, when somebody else may take it over. */
  readonly dueAt: number | null;
  readonly isUnderWay: boolean;
  readonly failedAt: number | null;
}
