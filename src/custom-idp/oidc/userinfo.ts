import { BrokerError } from '../../errors/broker-error.js';
import { parseExactNumbers } from '../../identity/exact-json.js';
import type { VerifyOptions } from '../../identity/identity-verifier.js';
import { toldCheck, type Check } from '../../identity/told-check.js';
import type { OutboundClient, OutboundResponse, OutboundTls } from '../../outbound/outbound-client.js';
import { ownClaim, type Claims } from '../claims/claims-identity.js';

const SAME_SUBJECT: Check = { name: 'sub', reason: 'userinfo is of somebody else' };

/**
 * What the provider says of the person whose access token it is (OpenID Connect Core §5.3).
 *
 * @param subject whom the token was found to be of: without the comparison, an access token of somebody else could be
 *   put beside an ID token (§5.3.2).
 * @throws BrokerError `invalid_credentials` when the provider does not take the token, or it is of somebody else;
 *   `identity_provider_unavailable`.
 */
export async function userinfo(
  endpoint: { readonly url: URL; readonly outbound: OutboundClient; readonly tls: OutboundTls | undefined },
  accessToken: string,
  subject: unknown,
  { signal, trace }: VerifyOptions,
): Promise<Claims> {
  const claims = claimsIn(
    await endpoint.outbound.send({
      url: endpoint.url,
      headers: { authorization: `Bearer ${accessToken}` },
      signal,
      tls: endpoint.tls,
      ...(trace && { trace: { to: trace, purpose: 'userinfo' } }),
    }),
  );
  const sub = ownClaim(claims, 'sub');
  toldCheck(trace, SAME_SUBJECT, typeof sub === 'string' && sub === subject, subject, sub);
  return claims;
}

/**
 * Claims of a token, completed by userinfo. An address and the word on whether it is verified stay together: one
 * source's address with the other's word would verify what nobody verified.
 */
export function completed(claims: Claims, more: Claims, emailVerifiedClaim = 'email_verified'): Claims {
  const merged: Record<string, unknown> = { ...claims, ...more };
  const pairs = [
    ['email', emailVerifiedClaim],
    ['phone_number', 'phone_number_verified'],
  ] as const;
  for (const [address, word] of pairs) {
    const source = ownClaim(more, address) === undefined ? claims : more;
    merged[word] = ownClaim(source, word);
  }
  return merged;
}

function claimsIn({ status, body }: OutboundResponse): Claims {
  // RFC 6750 §3.1: the token is expired, revoked or not for this.
  if (status === 401 || status === 403) {
    throw new BrokerError('invalid_credentials', {
      cause: new Error(`userinfo answers with status ${status}`),
    });
  }
  if (status !== 200) throw unavailable(`userinfo answers with status ${status}`);
  try {
    const value = parseExactNumbers(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims;
  } catch {
    // What it is instead must not get into an error.
  }
  throw unavailable('userinfo answers rubbish');
}

function unavailable(reason: string): BrokerError {
  return new BrokerError('identity_provider_unavailable', { cause: new Error(reason) });
}
