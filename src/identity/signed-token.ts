import { createHash } from 'node:crypto';
import { compactVerify, type CryptoKey } from 'jose';
import { z } from 'zod';
import { BrokerError } from '../errors/broker-error.js';
import type { VerificationTrace } from '../observability/verification-trace.js';
import type { Clock } from '../time/clock.js';
import { parseExactJson, parseExactNumbers } from './exact-json.js';
import { toldCheck, type Check } from './told-check.js';
import type { OneTimeUse } from './verified-identity.js';

/** What the claims of a token are judged by. Nothing of it comes from the token or from the request. */
export interface TokenExpectations<Algorithm extends string> {
  /** Compared character by character. */
  readonly issuers: readonly string[];
  /** Our client ids at the issuer. */
  readonly audiences: readonly string[];
  /**
   * Our client ids, where the audience is something else: a resource, in access tokens. That such a token was issued to
   * one of them is the caller's to check; then it may be for others as well.
   */
  readonly clients?: readonly string[];
  readonly algorithms: readonly Algorithm[];
  /** Which `typ` (RFC 8725 §3.11) the header may name; those that take `jwt`, which is the default, take none as well. */
  readonly types?: readonly string[];
  /** When given, the token has to hold this one. */
  readonly nonce?: string | undefined;
  /** When given, the token has to say when it was issued, and not longer ago than this. */
  readonly maxAgeSeconds?: number | undefined;
  readonly clock: Clock;
  readonly trace?: VerificationTrace | undefined;
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

const CHECKS = {
  alg: { name: 'alg', reason: 'its algorithm is not one of the definition' },
  typ: { name: 'typ', reason: 'it is a token of another type' },
  iss: { name: 'iss', reason: 'another issuer' },
  aud: { name: 'aud', reason: 'another audience' },
  exp: { name: 'exp', reason: 'expired' },
  nbf: { name: 'nbf', reason: 'not valid yet' },
  iat: { name: 'iat', reason: 'issued in the future' },
  nonce: { name: 'nonce', reason: 'another nonce' },
  hasAge: { name: 'iat', reason: 'it does not say when it was issued' },
  age: { name: 'iat', reason: 'issued too long ago' },
  signature: { name: 'signature', reason: 'its signature is not right' },
} as const satisfies Record<string, Check>;

const PLAIN_TYPES: readonly string[] = ['jwt'];

/** RFC 7519 §2, up to the year 9999. */
const numericDate = z.number().nonnegative().max(253_402_300_799);

/** Unknown members are ignored: `jku`, `x5u`, `jwk` and `x5c` would let the attacker name the key. */
const headerSchema = z.object({
  alg: z.string(),
  kid: z.string().min(1).max(256).optional(),
  typ: z.string().optional(),
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
 * Verifies a signed token (OpenID Connect Core §3.1.3.7, RFC 8725), whoever holds the key. Of the key `keyOf` decides
 * alone, by an algorithm that the definition lists.
 *
 * @throws BrokerError `invalid_credentials` for every token that is not exactly as expected, whatever is wrong with
 *   it; what `keyOf` throws.
 */
export async function verifySignedToken<Algorithm extends string>(
  token: string,
  expected: TokenExpectations<Algorithm>,
  keyOf: (header: { readonly alg: Algorithm; readonly kid?: string | undefined }) => Promise<CryptoKey>,
): Promise<VerifiedIdToken> {
  const { trace, clock } = expected;
  const [header, payload] = decoded(token, trace);
  const { alg: named, kid, typ } = parsed(headerSchema, header, trace);
  const alg = expected.algorithms.find((one) => one === named);
  toldCheck(trace, CHECKS.alg, alg !== undefined, expected.algorithms, named);
  const types = expected.types ?? PLAIN_TYPES;
  toldCheck(trace, CHECKS.typ, isOfType(typ, types), types, typ);
  // Claims are judged before the signature, so that a token for others costs no look at the keys, and their address
  // no request. Nothing of them is believed before both are done.
  const claims = parsed(claimsSchema, payload, trace);
  checkClaims(claims, expected);
  const key = await found(keyOf({ alg: alg!, kid }), kid, trace);
  const isSigned = await compactVerify(token, key, { algorithms: [alg!] }).then(
    () => true,
    () => false,
  );
  toldCheck(trace, CHECKS.signature, isSigned, "one by the issuer's key", isSigned ? 'it' : 'another');
  const issuedAt = claims.auth_time ?? claims.iat;
  return {
    claims: payload as Readonly<Record<string, unknown>>,
    authTime: new Date(Math.min(clock.now(), (issuedAt ?? Infinity) * 1000)),
    oneTime: oneTimeUse(token, claims, expected.maxAgeSeconds),
  };
}

/** Three parts in the one spelling that base64url has: with another, one token would have many texts. */
function decoded(token: string, trace: VerificationTrace | undefined): [header: unknown, payload: unknown] {
  if (token.length > MAX_TOKEN_CHARACTERS) throw illegible('it is too long', trace);
  const parts = token.split('.');
  const bytes = parts.map((part) => Buffer.from(part, 'base64url'));
  const isCanonical = bytes.every((part, i) => part.length > 0 && part.toString('base64url') === parts[i]);
  if (parts.length !== 3 || !isCanonical) throw illegible('it is no compact JWS', trace);
  try {
    return [parseExactJson(bytes[0]!), parseExactNumbers(bytes[1]!)];
  } catch {
    throw illegible('its header or its payload is no unambiguous JSON', trace);
  }
}

function parsed<Output>(
  schema: z.ZodType<Output>,
  value: unknown,
  trace: VerificationTrace | undefined,
): Output {
  const result = schema.safeParse(value);
  if (!result.success) {
    const places = result.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw illegible(`unusable: ${places}`, trace);
  }
  return result.data;
}

/** RFC 9068's at+jwt, logout+jwt and their like are other kinds of tokens, signed with the same keys. */
function isOfType(typ: string | undefined, types: readonly string[]): boolean {
  const plain = typ === undefined ? 'jwt' : plainType(typ);
  return types.some((type) => plainType(type) === plain);
}

/** RFC 7515 §4.1.9: `application/` may be left out; case does not matter. */
function plainType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

function checkClaims(claims: Claims, expected: TokenExpectations<string>): void {
  const { trace, issuers, audiences, clients, nonce, maxAgeSeconds } = expected;
  const { iss, aud, azp, exp, nbf, iat } = claims;
  const now = expected.clock.now() / 1000;
  toldCheck(trace, CHECKS.iss, issuers.includes(iss), issuers, iss);
  toldCheck(trace, CHECKS.aud, isForUs(claims, audiences, clients), audiences, azp ?? aud);
  toldCheck(trace, CHECKS.exp, now < exp + SKEW_SECONDS, 'a time to come', exp);
  if (nbf !== undefined) toldCheck(trace, CHECKS.nbf, now >= nbf - SKEW_SECONDS, 'a time gone by', nbf);
  if (iat !== undefined) toldCheck(trace, CHECKS.iat, now >= iat - SKEW_SECONDS, 'a time gone by', iat);
  if (nonce !== undefined) toldCheck(trace, CHECKS.nonce, claims.nonce === nonce, nonce, claims.nonce);
  if (maxAgeSeconds === undefined) return;
  toldCheck(trace, CHECKS.hasAge, iat !== undefined, 'a time', iat);
  toldCheck(trace, CHECKS.age, now < iat! + maxAgeSeconds + SKEW_SECONDS, 'a time not long ago', iat);
}

/** A token that others may use as well is ours only when it was issued to us (`azp`), and never when to somebody else. */
function isForUs(
  { aud, azp }: Claims,
  audiences: readonly string[],
  clients: readonly string[] | undefined,
): boolean {
  if (azp !== undefined && !(clients ?? audiences).includes(azp)) return false;
  return azp === undefined && clients === undefined
    ? aud.every((one) => audiences.includes(one))
    : aud.some((one) => audiences.includes(one));
}

async function found(
  key: Promise<CryptoKey>,
  kid: string | undefined,
  trace: VerificationTrace | undefined,
): Promise<CryptoKey> {
  if (trace === undefined) return key;
  const wanted = kid === undefined ? 'the only key' : `the key "${kid}"`;
  try {
    const known = await key;
    trace.check({ name: 'kid', passed: true, detail: `${wanted} is there` });
    return known;
  } catch (error) {
    trace.check({ name: 'kid', passed: false, detail: `${wanted} cannot be found` });
    throw error;
  }
}

/** Of fixed length, whatever the issuer writes; without `jti` of what is signed: ECDSA signatures have two spellings. */
function oneTimeUse(
  token: string,
  { iss, jti, exp, iat }: Claims,
  maxAgeSeconds: number | undefined,
): OneTimeUse {
  const unique = jti === undefined ? token.slice(0, token.lastIndexOf('.')) : JSON.stringify([iss, jti]);
  const until = maxAgeSeconds === undefined ? exp : Math.min(exp, (iat ?? exp) + maxAgeSeconds);
  return {
    id: createHash('sha256').update(unique).digest('hex'),
    expiresAt: new Date((until + SKEW_SECONDS) * 1000),
  };
}

/** @param reason a fixed text: it goes to the log. */
function illegible(reason: string, trace: VerificationTrace | undefined): BrokerError {
  trace?.check({ name: 'form', passed: false, detail: reason });
  return new BrokerError('invalid_credentials', { cause: new Error(`token refused: ${reason}`) });
}
