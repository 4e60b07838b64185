import { createPrivateKey, sign } from 'node:crypto';
import type { Clock } from '../../time/clock.js';

/** What Apple knows an operator's key by. */
export interface AppleKey {
  readonly team_id: string;
  readonly key_id: string;
  readonly private_key: string;
}

const AUDIENCE = 'https://appleid.apple.com';
/** Long enough for one request. Apple takes up to six months; whoever gets hold of one should not have it for that long. */
const LIFETIME_SECONDS = 5 * 60;

/** Whether it is a key that Apple's client secrets can be signed with. */
export function isAppleKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/**
 * A client secret as Apple wants it: a JWT about ourselves, signed with our key
 * (https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret).
 */
export function appleClientSecret(key: AppleKey, clientId: string, clock: Clock): string {
  const now = Math.floor(clock.now() / 1000);
  const header = { alg: 'ES256', kid: key.key_id };
  const claims = { iss: key.team_id, iat: now, exp: now + LIFETIME_SECONDS, aud: AUDIENCE, sub: clientId };
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  // RFC 7518 §3.4: the two numbers beside each other, not in DER.
  const signature = sign('sha256', Buffer.from(input), { key: key.private_key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}
