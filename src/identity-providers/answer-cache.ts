import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { BrokerError } from '../errors/broker-error.js';
import type { VerifiedIdentity } from '../identity/verified-identity.js';
import type { Clock } from '../time/clock.js';

/** Random credentials fill it and push each other out; a refusal that is forgotten costs a call, no more. */
const MAX_REFUSED = 10_000;
const MAX_PROVEN = 2000;

/** For how long answers are kept. 0: not at all. */
export interface AnswerLifetimes {
  readonly refusedSeconds: number;
  readonly provenSeconds: number;
}

/**
 * What one provider said of credentials a moment ago, where its operator wants that. Belongs to one version of its
 * definition. Keeps no credential: keys are hashes. Only refusals are taken for refusals: a provider that is down has
 * said nothing.
 */
export class AnswerCache {
  private readonly refused: LRUCache<string, true> | null;
  private readonly proven: LRUCache<string, VerifiedIdentity> | null;

  /** @returns null where nothing is to be kept. */
  static of(lifetimes: AnswerLifetimes, clock: Clock): AnswerCache | null {
    const { refusedSeconds, provenSeconds } = lifetimes;
    return refusedSeconds === 0 && provenSeconds === 0 ? null : new AnswerCache(lifetimes, clock);
  }

  private constructor({ refusedSeconds, provenSeconds }: AnswerLifetimes, clock: Clock) {
    // To the library, what is kept since 0 is kept for ever.
    const keeping = { ttlResolution: 0, perf: { now: () => clock.monotonic() + 1 } };
    this.refused =
      refusedSeconds === 0
        ? null
        : new LRUCache({ ...keeping, max: MAX_REFUSED, ttl: refusedSeconds * 1000 });
    this.proven =
      provenSeconds === 0 ? null : new LRUCache({ ...keeping, max: MAX_PROVEN, ttl: provenSeconds * 1000 });
  }

  /**
   * The provider's answer to a credential, remembered or asked for.
   *
   * @param credential as its schema parsed it. @throws BrokerError `invalid_credentials`; what `ask` throws.
   */
  async answer(credential: unknown, ask: () => Promise<VerifiedIdentity>): Promise<VerifiedIdentity> {
    const key = keyOf(credential);
    if (this.refused?.has(key)) {
      throw new BrokerError('invalid_credentials', { cause: new Error('refused a moment ago') });
    }
    const known = this.proven?.get(key);
    if (known) return known;
    try {
      const identity = await ask();
      // What may be used once must not be remembered as good.
      if (!identity.oneTime) this.proven?.set(key, identity);
      return identity;
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'invalid_credentials') this.refused?.set(key, true);
      throw error;
    }
  }
}

/** The same for the same credential, however its members were ordered. */
function keyOf(credential: unknown): string {
  const members = Object.entries((credential ?? {}) as Record<string, unknown>);
  const ordered = members.sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(ordered)).digest('base64url');
}
