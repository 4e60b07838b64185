import type { ErrorCode } from './error-catalog.js';

/** One fault of the input: where (RFC 6901 JSON pointer into the body or query) and what. */
export interface InputFault {
  readonly pointer: string;
  /** Stable and machine-readable: `required`, `invalid_type`, `taken`, `too_short`, … */
  readonly code: string;
  /** For people. Says what would be right; never repeats the value that was sent. */
  readonly detail: string;
}

interface BrokerErrorOptions {
  /** For the log only; never reaches a client. */
  readonly cause?: unknown;
  readonly errors?: readonly InputFault[];
  /** Whole seconds, for `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** Ids that the client needs to go on; members of the answer (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, number>>;
}

/**
 * The one error that domain code throws. It carries a code of the catalogue and no HTTP; faces translate it.
 */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly errors: readonly InputFault[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly members: Readonly<Record<string, number>>;

  constructor(
    readonly code: ErrorCode,
    options: BrokerErrorOptions = {},
  ) {
    super(code, 'cause' in options ? { cause: options.cause } : undefined);
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.members = options.members ?? {};
  }
}
