import type { CryptoKey } from 'jose';
import type { VerificationTrace } from '../observability/verification-trace.js';
import { verifySignedToken, type TokenExpectations, type VerifiedIdToken } from './signed-token.js';

/** Signatures by public keys only: a shared secret cannot be told from a public key that is used as one. */
export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** The issuer's keys, from where the definition says they are and from nowhere else. */
export interface VerificationKeys {
  /**
   * @throws BrokerError `invalid_credentials` when the issuer has no such key; `identity_provider_unavailable` when
   *   that cannot be found out.
   */
  find(
    header: { readonly alg: SignatureAlgorithm; readonly kid?: string | undefined },
    signal: AbortSignal,
    trace?: VerificationTrace,
  ): Promise<CryptoKey>;
}

/** Everything a token is judged by. Nothing of it comes from the token or from the request. */
export interface IdTokenExpectations extends TokenExpectations<SignatureAlgorithm> {
  readonly keys: VerificationKeys;
  readonly signal: AbortSignal;
}

/**
 * Verifies an ID token, or another token that is signed with a private key of its issuer. One function for every
 * verifier that takes one.
 *
 * @throws BrokerError `invalid_credentials` for every token that is not exactly as expected, whatever is wrong with
 *   it; what `keys.find` throws.
 */
export function verifyIdToken(token: string, expected: IdTokenExpectations): Promise<VerifiedIdToken> {
  const { keys, signal, trace } = expected;
  return verifySignedToken(token, expected, (header) => keys.find(header, signal, trace));
}
