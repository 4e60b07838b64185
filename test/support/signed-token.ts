import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** Signs as RFC 7515 §5.1 says, with Node's own cryptography: the code under test verifies with another library. */
export interface TokenParts {
  /** JSON, or its text where that is to be odd. */
  readonly header: object | string;
  readonly payload: object | string;
  /** A private key; a secret for HS256; null for no signature. */
  readonly key: KeyObject | string | null;
}

export function signedToken({ header, payload, key }: TokenParts): string {
  const input = [header, payload].map((part) => base64url(textOf(part))).join('.');
  return `${input}.${key === null ? '' : signature(input, key).toString('base64url')}`;
}

export function base64url(value: string | Buffer): string {
  return Buffer.from(value).toString('base64url');
}

/** A key pair and the public half as it stands in a JWKS. */
export interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: Record<string, unknown>;
}

export function rsaKey(kid: string, bits = 2048): SigningKey {
  const pair = generateKeyPairSync('rsa', { modulusLength: bits });
  return {
    kid,
    ...pair,
    jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' },
  };
}

export function ecKey(kid: string, namedCurve: 'P-256' | 'P-384'): SigningKey {
  const pair = generateKeyPairSync('ec', { namedCurve });
  return { kid, ...pair, jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

function textOf(part: object | string): string {
  return typeof part === 'string' ? part : JSON.stringify(part);
}

function signature(input: string, key: KeyObject | string): Buffer {
  if (typeof key === 'string') return createHmac('sha256', key).update(input).digest();
  const hash = key.asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'sha384' : 'sha256';
  return sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}
