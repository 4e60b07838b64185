import { webcrypto } from 'node:crypto';
import { verifySignedToken, type TokenExpectations, type VerifiedIdToken } from './signed-token.js';

/** Signatures by a secret that both sides know (RFC 7518 §3.2). */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
export type SecretAlgorithm = (typeof SECRET_ALGORITHMS)[number];

/** Everything a token is judged by. Nothing of it comes from the token or from the request. */
export interface SecretTokenExpectations extends TokenExpectations<SecretAlgorithm> {
  /** At least as long as the algorithm's hash. It is the only key there is: whatever `kid` says. */
  readonly secret: Uint8Array;
}

/**
 * Verifies a token that its issuer signed with a secret it shares with us. Apart from `verifyIdToken`, and with no
 * public key within its reach, so that neither's keys can ever be taken for the other's.
 *
 * @throws BrokerError `invalid_credentials` for every token that is not exactly as expected.
 */
export function verifySecretToken(
  token: string,
  expected: SecretTokenExpectations,
): Promise<VerifiedIdToken> {
  return verifySignedToken(token, expected, ({ alg }) => secretKey(expected.secret, alg));
}

/** RFC 7518 §3.2: a key of the size of the hash or larger. In bytes. */
export function leastSecretBytes(algorithm: SecretAlgorithm): number {
  return Number(algorithm.slice(2)) / 8;
}

/** For this one algorithm: the key itself refuses to be used for another. */
function secretKey(secret: Uint8Array, alg: SecretAlgorithm): Promise<webcrypto.CryptoKey> {
  const algorithm = { name: 'HMAC', hash: `SHA-${alg.slice(2)}` };
  return webcrypto.subtle.importKey('raw', secret, algorithm, false, ['verify']);
}
