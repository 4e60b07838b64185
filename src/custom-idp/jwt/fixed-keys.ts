import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createLocalJWKSet, type CryptoKey, type JWK, type LocalJWKSet } from 'jose';
import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { SignatureAlgorithm, VerificationKeys } from '../../identity/verify-id-token.js';

/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2048;
const MAX_PEM_CHARACTERS = 16 * 1024;

/** A public key of the definition, and what it can verify. */
export interface FixedKey {
  readonly jwk: JWK;
  readonly algorithms: readonly SignatureAlgorithm[];
}

const pem = z
  .string()
  .max(MAX_PEM_CHARACTERS)
  .regex(/^\s*-----BEGIN (RSA )?PUBLIC KEY-----/);
const kid = z.string().min(1).max(256).optional();
const keySchema = z.union([
  pem.transform((text) => ({ pem: text, kid: undefined })),
  z.strictObject({ pem, kid }),
  z.looseObject({
    kty: z.enum(['RSA', 'EC', 'OKP']),
    kid,
    use: z.literal('sig').optional(),
    d: z.never().optional(),
  }),
]);

const RSA: readonly SignatureAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const BY_CURVE: Readonly<Record<string, readonly SignatureAlgorithm[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
};

/**
 * A public key as an operator writes it: PEM, PEM with a `kid`, or a JWK.
 *
 * @returns a text for what is none, which says why.
 */
export function publicKeyIn(value: unknown): FixedKey | string {
  const given = keySchema.safeParse(value);
  if (!given.success) return 'must be a public key: PEM ("-----BEGIN PUBLIC KEY-----"), {pem, kid}, or a JWK';
  const key = readable(given.data);
  if (!key) return 'cannot be read as a public key';
  if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) {
    return `must have at least ${MIN_RSA_BITS} bits`;
  }
  const algorithms = algorithmsOf(key);
  // Only what the key is made of: of what else a JWK says, nothing is to be believed later.
  const jwk = {
    ...(key.export({ format: 'jwk' }) as JWK),
    ...(given.data.kid !== undefined && { kid: given.data.kid }),
  };
  return algorithms.length > 0 ? { jwk, algorithms } : 'is of a kind that no algorithm here is for';
}

function readable(given: z.output<typeof keySchema>): KeyObject | null {
  try {
    return typeof given.pem === 'string'
      ? createPublicKey(given.pem)
      : createPublicKey({ key: given as JsonWebKey, format: 'jwk' });
  } catch {
    return null;
  }
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly SignatureAlgorithm[] {
  if (asymmetricKeyType === 'rsa') return RSA;
  if (asymmetricKeyType === 'ed25519') return ['EdDSA'];
  return BY_CURVE[asymmetricKeyDetails?.namedCurve ?? ''] ?? [];
}

/** The keys that stand in the definition. Nobody is asked for others. */
export class FixedKeys implements VerificationKeys {
  private readonly keys: LocalJWKSet;
  /** An only key without a name is meant, whatever the token calls it. */
  private readonly haveNames: boolean;

  constructor(keys: readonly FixedKey[]) {
    this.keys = createLocalJWKSet({ keys: keys.map(({ jwk }) => jwk) });
    this.haveNames = keys.some(({ jwk }) => jwk.kid !== undefined);
  }

  async find({
    alg,
    kid,
  }: {
    readonly alg: SignatureAlgorithm;
    readonly kid?: string | undefined;
  }): Promise<CryptoKey> {
    try {
      return await this.keys({ alg, ...(kid !== undefined && this.haveNames && { kid }) });
    } catch {
      throw new BrokerError('invalid_credentials', { cause: new Error('the definition has no such key') });
    }
  }
}
