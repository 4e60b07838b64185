import { HttpException } from '@nestjs/common';
import { BrokerError, type InputFault } from '../errors/broker-error.js';
import { errorCatalog, type ErrorCode, type ErrorEntry } from '../errors/error-catalog.js';
import { isStoreAway } from '../persistence/store-errors.js';

/** The body of every error of the native face: RFC 9457, `application/problem+json`. */
export interface ProblemDetails {
  /** `urn:ostiary:problem:<code>`; the README explains each. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** The id under which the log knows this request. */
  readonly request_id: string;
  readonly next?: string;
  readonly errors?: readonly InputFault[];
  /** `guest_conflict` only. */
  readonly guest_user_id?: number;
  readonly user_id?: number;
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function toProblemDetails(error: BrokerError, requestId: string): ProblemDetails {
  const entry: ErrorEntry = errorCatalog[error.code];
  return {
    type: `urn:ostiary:problem:${error.code}`,
    title: entry.title,
    status: entry.status,
    code: error.code,
    request_id: requestId,
    ...(entry.next !== undefined && { next: entry.next }),
    ...(error.errors !== undefined && { errors: error.errors }),
    ...error.members,
  };
}

/** Fastify's own refusals, by their documented codes. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_BAD_URL: 'malformed_request',
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_request',
  FST_ERR_MAX_PARAM_LENGTH: 'uri_too_long',
};

/** What the framework throws with a status of its own; a client cannot cause any other. */
const STATUS_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'malformed_request',
  404: 'route_not_found',
  408: 'request_timeout',
  413: 'request_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
};

const STORE_RETRY_SECONDS = 2;

/** Turns whatever was thrown into an error of the catalogue; what is not recognised is ours (500). */
export function toBrokerError(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  if (isStoreAway(error)) {
    return new BrokerError('store_unavailable', { cause: error, retryAfterSeconds: STORE_RETRY_SECONDS });
  }
  const code = frameworkCode(error);
  // The framework's messages quote the path as sent, which can hold a token.
  return code ? new BrokerError(code) : new BrokerError('internal_error', { cause: error });
}

function frameworkCode(error: unknown): ErrorCode | undefined {
  if (error instanceof HttpException) return STATUS_CODES[error.getStatus()];
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  const known = typeof code === 'string' ? FASTIFY_CODES[code] : undefined;
  if (known) return known;
  return typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number'
    ? STATUS_CODES[statusCode]
    : undefined;
}

/** Headers that belong to an error: RFC 9110 `WWW-Authenticate` and `Retry-After`. */
export function problemHeaders(error: BrokerError): Record<string, string> {
  const entry: ErrorEntry = errorCatalog[error.code];
  return {
    ...(entry.status === 401 && { 'www-authenticate': challenge(error.code, entry) }),
    ...(error.retryAfterSeconds !== undefined && {
      'retry-after': String(Math.max(1, Math.ceil(error.retryAfterSeconds))),
    }),
  };
}

/** RFC 6750 §3: a request without credentials gets the bare challenge, a refused one the reason. */
function challenge(code: ErrorCode, entry: ErrorEntry): string {
  if (code === 'invalid_client') return 'Basic realm="ostiary", charset="UTF-8"';
  if (code === 'session_ended' || code === 'invalid_admin_key')
    return `Bearer realm="ostiary", error="${entry.oauth}"`;
  return 'Bearer realm="ostiary"';
}
