import { z } from 'zod';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '../../identity/verify-id-token.js';
import {
  SECRET_ALGORITHMS,
  leastSecretBytes,
  type SecretAlgorithm,
} from '../../identity/verify-secret-token.js';
import { claimOptions, oneOrSeveral } from '../claims/claim-options.js';
import { isLoopbackHttp, providerUrl } from '../claims/provider-url.js';
import { tlsOptionsSchema } from '../tls.options.js';
import { publicKeyIn, type FixedKey } from './fixed-keys.js';

const DAY_SECONDS = 24 * 60 * 60;
const MAX_KEYS = 20;

const algorithm = z.enum([...SIGNATURE_ALGORITHMS, ...SECRET_ALGORITHMS]);
/** RFC 7515 §4.1.9: a media type, of which `application/` may be left out. */
const tokenType = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+/-]{0,63}$/, 'must be a token type such as at+jwt');

const fixedKey = z.unknown().transform((value, context): FixedKey => {
  const key = publicKeyIn(value);
  if (typeof key !== 'string') return key;
  context.addIssue({ code: 'custom', message: key });
  return z.NEVER;
});

/**
 * The options of a `jwt` provider. Whose tokens count, for whom they have to be made and what verifies them is all in
 * the definition: nothing of it is ever read from a token, and nothing of it may be missing.
 */
export const jwtOptionsSchema = z
  .strictObject({
    issuer: oneOrSeveral,
    audience: oneOrSeveral,
    algorithms: z.array(algorithm).min(1).max(10),
    secret: z.string().min(1).max(1024).optional(),
    secret_encoding: z.enum(['base64', 'base64url', 'hex', 'utf-8']).optional(),
    jwks_url: providerUrl.optional(),
    keys: z.array(fixedKey).min(1).max(MAX_KEYS).optional(),
    one_time: z.boolean().default(false),
    max_age_seconds: z.int().min(1).max(DAY_SECONDS).optional(),
    token_types: z.array(tokenType).min(1).max(5).default(['JWT']),
    ...claimOptions,
    tls: tlsOptionsSchema.optional(),
  })
  .superRefine((options, context) => {
    for (const { path, message } of faultsOf(options)) context.addIssue({ code: 'custom', path, message });
  });

export type JwtOptions = z.output<typeof jwtOptionsSchema>;

/** What verifies the tokens of a definition. */
export type JwtKeys =
  | { readonly kind: 'secret'; readonly secret: Uint8Array; readonly algorithms: readonly SecretAlgorithm[] }
  | { readonly kind: 'jwks'; readonly url: URL; readonly algorithms: readonly SignatureAlgorithm[] }
  | {
      readonly kind: 'fixed';
      readonly keys: readonly FixedKey[];
      readonly algorithms: readonly SignatureAlgorithm[];
    };

/** @throws Error for options that did not come from the schema. */
export function keysOf(options: JwtOptions): JwtKeys {
  const secret = secretBytes(options);
  if (secret) return { kind: 'secret', secret, algorithms: options.algorithms.filter(isSecretAlgorithm) };
  const algorithms = options.algorithms.filter(isSignatureAlgorithm);
  if (options.keys) return { kind: 'fixed', keys: options.keys, algorithms };
  if (options.jwks_url !== undefined) return { kind: 'jwks', url: new URL(options.jwks_url), algorithms };
  throw new Error('nothing to verify with');
}

/** What an operator should know of these options. */
export function jwtWarnings({ jwks_url, secret_encoding, one_time, max_age_seconds }: JwtOptions): string[] {
  return [
    ...(jwks_url !== undefined && isLoopbackHttp(jwks_url)
      ? ['jwks_url: plain HTTP, for stand-ins on this machine']
      : []),
    ...(secret_encoding === 'utf-8'
      ? ['secret: typed text is easier to guess than random bytes of the same length']
      : []),
    ...(secret_encoding !== undefined
      ? ['secret: whoever knows it can sign in as anybody; public keys cannot be misused so']
      : []),
    ...(one_time || max_age_seconds !== undefined
      ? []
      : [
          'one_time is off, and max_age_seconds not given: whoever reads a token can sign in with it until it expires',
        ]),
  ];
}

interface Fault {
  readonly path: string[];
  readonly message: string;
}

/** Rules between options. A fault for each that is broken: what verifies is never "any", and never of two sorts. */
function faultsOf(options: JwtOptions): Fault[] {
  const { algorithms, secret, secret_encoding, jwks_url, keys, tls } = options;
  const given = Object.entries({ secret, jwks_url, keys }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  if (given.length === 0)
    return [fault('jwks_url', 'is needed, or keys, or secret: what verifies the tokens')];
  if (given.length > 1) return given.slice(1).map((name) => fault(name, `has no place beside ${given[0]}`));
  const hasSecret = secret !== undefined;
  const misfits = algorithms.filter((one) => isSecretAlgorithm(one) !== hasSecret);
  return [
    ...misfits.map((one) =>
      fault(
        'algorithms',
        hasSecret ? `${one} is not for secrets` : `${one} is for secrets, and there is none`,
      ),
    ),
    ...(new Set(algorithms).size === algorithms.length ? [] : [fault('algorithms', 'names one twice')]),
    ...(hasSecret === (secret_encoding !== undefined)
      ? []
      : [fault('secret_encoding', hasSecret ? 'is needed beside secret' : 'has no place without secret')]),
    ...(tls !== undefined && jwks_url === undefined ? [fault('tls', 'has no place without jwks_url')] : []),
    ...secretFaults(options),
    ...keyFaults(options),
  ];
}

function secretFaults(options: JwtOptions): Fault[] {
  const { secret, secret_encoding, algorithms } = options;
  if (secret === undefined || secret_encoding === undefined) return [];
  const bytes = secretBytes(options);
  if (!bytes) return [fault('secret', `is not ${secret_encoding}`)];
  const least = Math.max(...algorithms.filter(isSecretAlgorithm).map(leastSecretBytes));
  return bytes.length < least
    ? [fault('secret', `must have at least ${least} bytes (${least * 8} bits)`)]
    : [];
}

/** A token that names no key leads to the only one, and so does every token where the only one has no name. */
function keyFaults({ keys = [], algorithms }: JwtOptions): Fault[] {
  const kids = keys.map(({ jwk }) => jwk.kid);
  const at = (i: number, message: string): Fault => ({ path: ['keys', String(i)], message });
  return keys.flatMap((key, i) => [
    ...(key.algorithms.some((one) => algorithms.includes(one))
      ? []
      : [at(i, 'is for none of the algorithms')]),
    ...(keys.length > 1 && kids[i] === undefined ? [at(i, 'needs a kid, as there are several keys')] : []),
    ...(kids[i] !== undefined && kids.indexOf(kids[i]) !== i ? [at(i, 'has the kid of another key')] : []),
  ]);
}

/** @returns null where there is none, and for text that is not in its encoding, spelled as that has it. */
function secretBytes({ secret, secret_encoding }: JwtOptions): Uint8Array | null {
  if (secret === undefined || secret_encoding === undefined) return null;
  const bytes = Buffer.from(secret, secret_encoding);
  const text = bytes.toString(secret_encoding);
  const canonical = secret_encoding === 'hex' ? secret.toLowerCase() : secret;
  const isSame = text === canonical || text.replace(/=+$/, '') === canonical;
  return isSame ? bytes : null;
}

function isSecretAlgorithm(name: string): name is SecretAlgorithm {
  return (SECRET_ALGORITHMS as readonly string[]).includes(name);
}

function isSignatureAlgorithm(name: string): name is SignatureAlgorithm {
  return (SIGNATURE_ALGORITHMS as readonly string[]).includes(name);
}

function fault(name: string, message: string): Fault {
  return { path: [name], message };
}
