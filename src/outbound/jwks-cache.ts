import { createLocalJWKSet, errors, type CryptoKey, type LocalJWKSet } from 'jose';
import { z } from 'zod';
import { BrokerError } from '../errors/broker-error.js';
import type { VerificationTrace } from '../observability/verification-trace.js';
import type { Clock } from '../time/clock.js';
import { giveUpOnAbort } from './give-up-on-abort.js';
import type { OutboundClient, OutboundTls } from './outbound-client.js';

/** For as long keys are used without asking whether they still are the issuer's: a withdrawn key dies within it. */
const MAX_AGE_SECONDS = 10 * 60;
/** For as long after that they are used while the issuer does not answer. */
const STALE_SECONDS = 60 * 60;
/** Unknown key ids and an issuer in trouble lead to one request in this time, however many tokens come. */
const COOLDOWN_SECONDS = 30;
const MAX_KEYS = 100;
const MAX_BYTES = 256 * 1024;
/** RFC 7518 §3.3. */
const MIN_RSA_BITS = 2048;

const jwkSchema = z.looseObject({
  kty: z.string(),
  kid: z.string().max(256).optional(),
  use: z.string().optional(),
  n: z.string().optional(),
  crv: z.string().optional(),
});
const jwksSchema = z.object({ keys: z.array(z.unknown()).max(MAX_KEYS) });

interface KeySet {
  readonly keys: LocalJWKSet;
  readonly fetchedAt: number;
}

/**
 * The public keys of one issuer, fetched from one address when they are needed. One request at a time; a new key is
 * found within the cooldown, a withdrawn one is dead within the age; while the issuer does not answer, the keys it had
 * go on for a stated while. Belongs to one verifier.
 */
export class JwksCache {
  private current: KeySet | null = null;
  private fetching: Promise<void> | null = null;
  private triedAt = -Infinity;
  private failed = false;

  constructor(
    private readonly url: URL,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
    private readonly tls?: OutboundTls,
  ) {}

  /**
   * The one key that a token with this header can be signed with.
   *
   * @param trace is told of the request that this look-up begins, if it does.
   * @throws BrokerError `invalid_credentials` when the issuer has none or several; `identity_provider_unavailable` when
   *   that cannot be found out.
   */
  async find(
    header: { readonly alg: string; readonly kid?: string | undefined },
    signal: AbortSignal,
    trace?: VerificationTrace,
  ): Promise<CryptoKey> {
    if (this.age() > MAX_AGE_SECONDS && (this.isExhausted() || this.mayTry()))
      await this.fetch(signal, trace);
    const known = await this.lookUp(header);
    if (known) return known;
    if (this.mayTry()) await this.fetch(signal, trace);
    const fresh = await this.lookUp(header);
    if (fresh) return fresh;
    // It may be a new key that the issuer could not tell us about.
    if (this.failed) throw unavailable('the keys cannot be fetched');
    throw noKey('the issuer has no such key');
  }

  private async lookUp({
    alg,
    kid,
  }: {
    readonly alg: string;
    readonly kid?: string | undefined;
  }): Promise<CryptoKey | null> {
    if (!this.current || this.isExhausted()) throw unavailable('the keys cannot be fetched');
    try {
      return await this.current.keys({ alg, ...(kid !== undefined && { kid }) });
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null;
      throw noKey('no single usable key');
    }
  }

  private age(): number {
    return this.current ? this.secondsSince(this.current.fetchedAt) : Infinity;
  }

  private isExhausted(): boolean {
    return this.age() > MAX_AGE_SECONDS + STALE_SECONDS;
  }

  private mayTry(): boolean {
    return this.fetching !== null || this.secondsSince(this.triedAt) >= COOLDOWN_SECONDS;
  }

  private secondsSince(moment: number): number {
    return (this.clock.monotonic() - moment) / 1000;
  }

  /** Waits for the one request that is under way, or for the caller to lose patience. Never throws for the request. */
  private async fetch(signal: AbortSignal, trace: VerificationTrace | undefined): Promise<void> {
    this.fetching ??= this.refresh(trace).finally(() => (this.fetching = null));
    await giveUpOnAbort(this.fetching, signal, 'the keys did not come in time');
  }

  private async refresh(trace: VerificationTrace | undefined): Promise<void> {
    this.triedAt = this.clock.monotonic();
    try {
      // Of nobody's signal: those who wait for it have different ones. The client's own deadline ends it.
      const { status, body } = await this.outbound.send({
        url: this.url,
        signal: new AbortController().signal,
        tls: this.tls,
        ...(trace && { trace: { to: trace, purpose: 'keys' } }),
      });
      if (status !== 200 || body.length > MAX_BYTES) throw new Error('not a key set');
      this.current = { keys: keySet(body), fetchedAt: this.triedAt };
      this.failed = false;
    } catch {
      this.failed = true;
    }
  }
}

/** Keys of kinds and strengths that are no use here are left out: one odd key must not take the others with it. */
function keySet(body: Buffer): LocalJWKSet {
  const { keys } = jwksSchema.parse(JSON.parse(body.toString('utf8')));
  const usable = keys.flatMap((key) => {
    const { success, data } = jwkSchema.safeParse(key);
    return success && isUsable(data) ? [data] : [];
  });
  return createLocalJWKSet({ keys: usable });
}

/** Public signature keys. A symmetric one would be a secret that everybody can read. */
function isUsable({ kty, use, n, d }: z.output<typeof jwkSchema>): boolean {
  if (d !== undefined || (use !== undefined && use !== 'sig')) return false;
  if (kty === 'RSA') return bitLength(Buffer.from(n ?? '', 'base64url')) >= MIN_RSA_BITS;
  return kty === 'EC' || kty === 'OKP';
}

function bitLength(number: Buffer): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (number.length - first) * 8 - (Math.clz32(number[first]!) - 24);
}

function unavailable(reason: string): BrokerError {
  return new BrokerError('identity_provider_unavailable', { cause: new Error(reason) });
}

function noKey(reason: string): BrokerError {
  return new BrokerError('invalid_credentials', { cause: new Error(reason) });
}
