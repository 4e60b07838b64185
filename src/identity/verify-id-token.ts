import { createHash } from 'node:crypto';
import { compactVerify, type CryptoKey } from 'jose';
import { z } from 'zod';
import { BrokerError } from '../errors/broker-error.js';
import type { Clock } from '../time/clock.js';
import { parseExactJson } from './exact-json.js';
import type { OneTimeUse } from './verified-identity.js';

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
  ): Promise<CryptoKey>;
}

/** Everything a token is judged by. Nothing of it comes from the token or from the request. */
export interface IdTokenExpectations {
  readonly keys: VerificationKeys;
  /** Compared character by character. */
  readonly issuers: readonly string[];
  /** Our client ids at the issuer. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly SignatureAlgorithm[];
  /** When given, the token has to hold this one. */
  readonly nonce?: string;
  /** When given, the token has to say when it was issued, and not longer ago than this. */
  readonly maxAgeSeconds?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface VerifiedIdToken {
  /** As the issuer signed them. Those that are not registered are whatever type they are. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly authTime: Date;
  readonly oneTime: OneTimeUse;
}

const MAX_TOKEN_CHARACTERS = 8 * 1024;
/** Clocks differ; by more than a minute they are wrong. */
const SKEW_SECONDS = 60;

/** RFC 7519 §2, up to the year 9999. */
const numericDate = z.number().nonnegative().max(253_402_300_799);

/** Unknown members are ignored: `jku`, `x5u`, `jwk` and `x5c` would let the attacker name the key. */
const headerSchema = z.object({
  alg: z.enum(SIGNATURE_ALGORITHMS),
  kid: z.string().min(1).max(256).optional(),
  // RFC 9068's at+jwt, logout+jwt and their like are other kinds of tokens, signed with the same keys.
  typ: z
    .string()
    .regex(/^(application\/)?jwt$/i)
    .optional(),
  // Nothing critical is understood here; unencoded, encrypted or compressed payloads are not either.
  crit: z.never().optional(),
  b64: z.never().optional(),
  enc: z.never().optional(),
  zip: z.never().optional(),
});

const claimsSchema = z.looseObject({
  iss: z.string(),
  aud: z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)]),
  azp: z.string().optional(),
  exp: numericDate,
  nbf: numericDate.optional(),
  iat: numericDate.optional(),
  auth_time: numericDate.optional(),
  nonce: z.string().optional(),
  jti: z.string().min(1).optional(),
});
type Claims = z.output<typeof claimsSchema>;

/**
 * Verifies an ID token (OpenID Connect Core §3.1.3.7, RFC 8725). One function for every verifier that takes one.
 *
 * @throws BrokerError `invalid_credentials` for every token that is not exactly as expected, whatever is wrong with
 *   it; what `keys.find` throws.
 */
export async function verifyIdToken(token: string, expected: IdTokenExpectations): Promise<VerifiedIdToken> {
  const [header, payload] = decoded(token);
  const { alg, kid } = parsed(headerSchema, header);
  if (!expected.algorithms.includes(alg)) throw refused('its algorithm is not one of the definition');
  // Claims are judged before the signature, so that a token for others costs no look at the keys, and their address
  // no request. Nothing of them is believed before both are done.
  const claims = parsed(claimsSchema, payload);
  checkClaims(claims, expected);
  const key = await expected.keys.find({ alg, kid }, expected.signal);
  try {
    await compactVerify(token, key, { algorithms: [alg] });
  } catch {
    throw refused('its signature is not right');
  }
  const issuedAt = claims.auth_time ?? claims.iat;
  return {
    claims: payload as Readonly<Record<string, unknown>>,
    authTime: new Date(Math.min(expected.clock.now(), (issuedAt ?? Infinity) * 1000)),
    oneTime: oneTimeUse(token, claims, expected),
  };
}

/** Three parts in the one spelling that base64url has: with another, one token would have many texts. */
function decoded(token: string): [header: unknown, payload: unknown] {
  if (token.length > MAX_TOKEN_CHARACTERS) throw refused('it is too long');
  const parts = token.split('.');
  const bytes = parts.map((part) => Buffer.from(part, 'base64url'));
  const isCanonical = bytes.every((part, i) => part.length > 0 && part.toString('base64url') === parts[i]);
  if (parts.length !== 3 || !isCanonical) throw refused('it is no compact JWS');
  try {
    return [parseExactJson(bytes[0]!), parseExactJson(bytes[1]!)];
  } catch {
    throw refused('its header or its payload is no unambiguous JSON');
  }
}

function parsed<Output>(schema: z.ZodType<Output>, value: unknown): Output {
  const result = schema.safeParse(value);
  if (!result.success) {
    const places = result.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw refused(`unusable: ${places}`);
  }
  return result.data;
}

function checkClaims(claims: Claims, expected: IdTokenExpectations): void {
  const now = expected.clock.now() / 1000;
  if (!expected.issuers.includes(claims.iss)) throw refused('another issuer');
  if (!isForUs(claims, expected.audiences)) throw refused('another audience');
  if (now >= claims.exp + SKEW_SECONDS) throw refused('expired');
  if (claims.nbf !== undefined && now < claims.nbf - SKEW_SECONDS) throw refused('not valid yet');
  if (claims.iat !== undefined && now < claims.iat - SKEW_SECONDS) {
    throw refused('issued in the future');
  }
  if (expected.nonce !== undefined && claims.nonce !== expected.nonce) throw refused('another nonce');
  if (expected.maxAgeSeconds === undefined) return;
  if (claims.iat === undefined) throw refused('it does not say when it was issued');
  if (now >= claims.iat + expected.maxAgeSeconds + SKEW_SECONDS) throw refused('issued too long ago');
}

/** A token that others may use as well is ours only when it was issued to us (`azp`), and never when to somebody else. */
function isForUs({ aud, azp }: Claims, audiences: readonly string[]): boolean {
  if (azp !== undefined && !audiences.includes(azp)) return false;
  return azp === undefined
    ? aud.every((one) => audiences.includes(one))
    : aud.some((one) => audiences.includes(one));
}

/** Of fixed length, whatever the issuer writes; without `jti` of what is signed: ECDSA signatures have two spellings. */
function oneTimeUse(token: string, { iss, jti, exp, iat }: Claims, { maxAgeSeconds }: IdTokenExpectations) {
  const unique = jti === undefined ? token.slice(0, token.lastIndexOf('.')) : JSON.stringify([iss, jti]);
  const until = maxAgeSeconds === undefined ? exp : Math.min(exp, (iat ?? exp) + maxAgeSeconds);
  return {
    id: createHash('sha256').update(unique).digest('hex'),
    expiresAt: new Date((until + SKEW_SECONDS) * 1000),
  };
}

/** @param reason a fixed text: it goes to the log. */
function refused(reason: string): BrokerError {
  return new BrokerError('invalid_credentials', { cause: new Error(`ID token refused: ${reason}`) });
}
