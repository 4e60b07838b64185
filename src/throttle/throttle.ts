import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ThrottleConfig, type ThrottleRule } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { addressKey } from '../http/client-address.js';
import { Clock } from '../time/clock.js';
import { secondsToWait, type ThrottleState } from './throttle-decision.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

/** Whose password is tried: a user once it is known who that is, else the name that was given. */
export type Subject =
  | { readonly userId: number }
  | { readonly applicationId: number; readonly kind: string; readonly key: string };

export type RatedAct = 'sign_up' | 'guest';

interface Counted {
  readonly key: string;
  readonly rule: ThrottleRule;
}

/** Counters whose window is over are deleted along the way, so many at a time. */
const SWEEP_EVERY = 64;
const SWEEP_MOST = 256;

/**
 * Counts refused tries, one set of counters for all ways in. Tries under way count as refused until they are
 * known not to be, so that a hundred guesses at once are not a hundred free ones.
 */
@Injectable()
export class Throttle {
  private readonly inFlight = new Map<string, number>();
  private additions = 0;

  constructor(
    private readonly config: ThrottleConfig,
    private readonly counters: ThrottleCounterRepository,
    private readonly clock: Clock,
  ) {}

  /**
   * Runs one try at a secret. `attempt` resolves to null when the secret was refused.
   *
   * @throws BrokerError `too_many_requests` without running it; whatever `attempt` throws, which counts for nothing.
   */
  async attempt<T>(subject: Subject, address: string, attempt: () => Promise<T | null>): Promise<T | null> {
    const bySubject = { key: subjectKey(subject), rule: this.config.failuresPerUser };
    const byAddress = { key: `address:${addressKey(address)}`, rule: this.config.failuresPerAddress };
    const counted = [bySubject, byAddress];
    // Entered before the counters are read: tries that arrive while this one waits for the answer see it.
    this.enter(counted);
    try {
      const states = await this.admit(counted);
      const result = await attempt();
      if (result === null) for (const { key, rule } of counted) await this.add(key, rule);
      else if (states.get(bySubject.key)) await this.counters.remove(bySubject.key);
      return result;
    } finally {
      this.leave(counted);
    }
  }

  /** Counts an act of which an address may do only so many. @throws BrokerError `too_many_requests` */
  async spend(act: RatedAct, address: string): Promise<void> {
    const rule = act === 'sign_up' ? this.config.signUpsPerAddress : this.config.guestsPerAddress;
    const count = await this.add(`${act}:${addressKey(address)}`, rule);
    if (count > rule.limit)
      throw new BrokerError('too_many_requests', { retryAfterSeconds: rule.windowSeconds / 10 });
  }

  private async admit(counted: readonly Counted[]): Promise<Map<string, ThrottleState>> {
    const rows = await this.counters.find(counted.map(({ key }) => key));
    const now = this.clock.now();
    const states = new Map<string, ThrottleState>();
    for (const { key, rule } of counted) {
      const row = rows.find((candidate) => candidate.key === key);
      const state: ThrottleState = {
        count: row?.count ?? 0,
        windowEndsAt: row?.window_ends_at ?? 0,
        pausedUntil: row?.paused_until ?? 0,
        inFlight: this.inFlight.get(key)! - 1,
      };
      const wait = secondsToWait(state, rule, now);
      if (wait !== null) throw new BrokerError('too_many_requests', { retryAfterSeconds: wait });
      if (row) states.set(key, state);
    }
    return states;
  }

  private async add(key: string, rule: ThrottleRule): Promise<number> {
    const now = this.clock.now();
    this.additions += 1;
    if (this.additions % SWEEP_EVERY === 0) await this.counters.removeLapsed(now, SWEEP_MOST);
    return this.counters.add(key, rule, now);
  }

  private enter(counted: readonly Counted[]): void {
    for (const { key } of counted) this.inFlight.set(key, (this.inFlight.get(key) ?? 0) + 1);
  }

  private leave(counted: readonly Counted[]): void {
    for (const { key } of counted) {
      const left = this.inFlight.get(key)! - 1;
      if (left > 0) this.inFlight.set(key, left);
      else this.inFlight.delete(key);
    }
  }
}

/** Names of nobody are counted like users, or the missing counter would tell that they are nobody's. */
function subjectKey(subject: Subject): string {
  if ('userId' in subject) return `user:${subject.userId}`;
  const digest = createHash('sha256').update(`${subject.kind}:${subject.key}`).digest('base64url');
  return `name:${subject.applicationId}:${digest}`;
}
