import { BrokerError } from '../../errors/broker-error.js';
import type { ErrorCode } from '../../errors/error-catalog.js';

/** Whose fault it is, and the library's code for it: can be handed from a worker to its parent. */
export interface FirebaseFailure {
  readonly code: Extract<
    ErrorCode,
    'invalid_credentials' | 'identity_provider_unavailable' | 'identity_provider_misconfigured'
  >;
  readonly reason: string;
}

/** The credential's fault. */
const REFUSED = new Set([
  'auth/id-token-expired',
  'auth/id-token-revoked',
  'auth/invalid-uid',
  'auth/mismatching-tenant-id',
  'auth/user-disabled',
  'auth/user-not-found',
]);

/** The definition's fault. */
const MISCONFIGURED = new Set([
  'app/invalid-credential',
  'auth/configuration-not-found',
  'auth/insufficient-permission',
  'auth/invalid-credential',
  'auth/invalid-project-id',
  'auth/invalid-tenant-id',
  'auth/project-not-found',
  'auth/tenant-not-found',
  'auth/unsupported-tenant-operation',
]);

/**
 * Of `auth/argument-error` the library makes both "this token is bad" and "Google's certificates could not be had"
 * (`KEY_FETCH_ERROR` in its `utils/jwt.js`), and no code tells the two apart. What it says of a bad token begins like
 * this; everything else is not the token's fault, so that a change of these words blames nobody's credential.
 */
const ABOUT_THE_TOKEN = /^(?:Firebase ID token has |Decoding Firebase ID token failed)/;

/** Whose fault an error of firebase-admin is. Its messages hold claims and what Google answered: they end here. */
export function firebaseFailure(error: unknown): FirebaseFailure {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && /^(?:auth|app)\/[a-z-]{1,64}$/.test(code);
  if (!known) return { code: 'identity_provider_unavailable', reason: 'firebase-admin failed' };
  const reason = `firebase-admin: ${code}`;
  if (REFUSED.has(code)) return { code: 'invalid_credentials', reason };
  if (MISCONFIGURED.has(code)) return { code: 'identity_provider_misconfigured', reason };
  if (code === 'auth/argument-error' && typeof message === 'string' && ABOUT_THE_TOKEN.test(message)) {
    return { code: 'invalid_credentials', reason };
  }
  return { code: 'identity_provider_unavailable', reason };
}

/** The error for it: the code of the library is all that it holds. */
export function failureError({ code, reason }: FirebaseFailure): BrokerError {
  return new BrokerError(code, { cause: new Error(reason) });
}
