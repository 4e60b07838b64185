import { ClientError, ResponseBodyError } from 'openid-client';
import { BrokerError } from '../../errors/broker-error.js';
import type { ErrorCode } from '../../errors/error-catalog.js';

/** Codes of openid-client for an ID token whose claims are not as expected. */
const CLAIMS_AT_FAULT = new Set(['OAUTH_JWT_CLAIM_COMPARISON_FAILED', 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED']);
/** RFC 6749 §5.2: what is said of us, and not of the code. */
const IN_TROUBLE = new Set(['server_error', 'temporarily_unavailable']);

/** A discovery document that nothing of may be believed. */
export class ForeignDocumentError extends Error {
  override readonly name = 'ForeignDocumentError';
}

/** Whether there is a document, and it is of somebody else: what was known before is not to be believed either. */
export function isForeignDocument(error: unknown): boolean {
  const code = error instanceof ClientError ? error.code : undefined;
  return error instanceof ForeignDocumentError || code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED';
}

/**
 * What came of asking for the discovery document, in our words. The library's errors hold what was answered.
 *
 * @returns `identity_provider_misconfigured` when another address would be right: what is there is of another issuer,
 *   or somewhere else (a redirect), or not at all.
 */
export function discoveryFailure(error: unknown): BrokerError {
  const own = brokerErrorIn(error);
  if (own) return own;
  if (error instanceof ForeignDocumentError) return failure('identity_provider_misconfigured', error.message);
  if (isForeignDocument(error)) {
    return failure('identity_provider_misconfigured', 'the discovery document is of another issuer');
  }
  const status = statusIn(error);
  if (status === undefined || status === 200) {
    return failure('identity_provider_unavailable', 'the discovery document is rubbish');
  }
  return failure(blameOf(status), `the discovery document comes with status ${status}`);
}

/** What came of trading a code, in our words: a code that is worth nothing is the browser's fault, the rest is not. */
export function tradeFailure(error: unknown): BrokerError {
  const own = brokerErrorIn(error);
  if (own) return own;
  if (error instanceof ResponseBodyError) {
    const { status } = error;
    if (error.error === 'invalid_grant' && status < 500) {
      return failure('invalid_credentials', 'the provider does not take the code');
    }
    const isDown = IN_TROUBLE.has(error.error) || blameOf(status) === 'identity_provider_unavailable';
    const code = isDown ? 'identity_provider_unavailable' : 'identity_provider_misconfigured';
    return failure(code, `the token endpoint refuses with status ${status}`);
  }
  if (error instanceof ClientError && CLAIMS_AT_FAULT.has(error.code ?? '')) {
    return failure('invalid_credentials', 'the ID token for the code is not for this sign-in');
  }
  const status = statusIn(error);
  return status === undefined || status === 200
    ? failure('identity_provider_unavailable', 'the token endpoint answers rubbish')
    : failure(blameOf(status), `the token endpoint answers with status ${status}`);
}

function blameOf(status: number): ErrorCode {
  const isDown = status >= 500 || status === 429 || status === 408;
  return isDown ? 'identity_provider_unavailable' : 'identity_provider_misconfigured';
}

function statusIn(error: unknown): number | undefined {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Response ? cause.status : undefined;
}

/** The library puts what its `fetch` throws into errors of its own. */
function brokerErrorIn(error: unknown): BrokerError | undefined {
  let inner = error;
  for (let depth = 0; depth < 5 && inner instanceof Error; depth += 1) {
    if (inner instanceof BrokerError) return inner;
    inner = inner.cause;
  }
  return undefined;
}

/** @param reason a fixed text, and a status at most. */
function failure(code: ErrorCode, reason: string): BrokerError {
  return new BrokerError(code, { cause: new Error(reason) });
}
