/** Why nothing may be sent to an address. */
export type Refusal = 'not http' | 'user information' | 'refused port' | 'not a public address';

/** An address or a name that nothing may be sent to. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
  readonly code = 'ERR_OUTBOUND_REFUSED';

  constructor(readonly refusal: Refusal) {
    super(refusal);
  }
}

/** There was nobody to send to: no such name, no connection, no TLS. Nothing was sent, so it may be tried once more. */
export class ConnectionNotMadeError extends Error {
  override readonly name = 'ConnectionNotMadeError';

  /** @param code of the operating system, of TLS or of the client; never anything that the other side wrote. */
  constructor(readonly code: string) {
    super('no connection was made');
  }
}

/** No complete answer came. The request may have had its effect. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(
    message: string,
    readonly code: string = 'ERR_OUTBOUND_NO_ANSWER',
  ) {
    super(message);
  }
}

export type OutboundFailure = RefusedAddressError | ConnectionNotMadeError | NoAnswerError;

/** What is told of an error: a class and a code of ours, as errors of libraries may hold the request. */
export function toFailure(error: unknown): OutboundFailure {
  if (isFailure(error)) return error;
  return new NoAnswerError('no complete answer', codeOf(error));
}

/** As `toFailure`, for whatever went wrong before a connection was there. */
export function toConnectionFailure(error: unknown): OutboundFailure {
  return isFailure(error) ? error : new ConnectionNotMadeError(codeOf(error));
}

/** What the client itself calls things. */
const TEXTS: ReadonlyMap<string, string> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'no connection in time'],
  ['UND_ERR_HEADERS_TIMEOUT', 'no answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'no answer in time'],
  ['UND_ERR_HEADERS_OVERFLOW', 'the head of the answer is too long'],
  ['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'the answer is too long'],
  ['UND_ERR_SOCKET', 'the connection ended before the answer did'],
  ['UND_ERR_INVALID_ARG', 'the request cannot be sent as it is'],
]);

/** For people who look for the fault: a fixed text, or the name of an error of the operating system or of TLS. */
export function failureText(failure: OutboundFailure): string {
  if (failure.code.startsWith('ERR_OUTBOUND_')) return failure.message;
  return TEXTS.get(failure.code) ?? failure.code;
}

function isFailure(error: unknown): error is OutboundFailure {
  return (
    error instanceof RefusedAddressError ||
    error instanceof ConnectionNotMadeError ||
    error instanceof NoAnswerError
  );
}

function codeOf(error: unknown): string {
  const code: unknown = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'ERR_OUTBOUND_UNKNOWN';
}
