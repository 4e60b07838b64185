import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { ThrottleConfig, type ThrottleRule } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { addressKey } from '../http/client-address.js';
import { Clock } from '../time/clock.js';
import { secondsToWait, type ThrottleState } from './throttle-decision.js';
import type { ThrottleCounterRow } from './throttle-counter.entity.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

/** Whose password is tried: a user once it is known who that is, else the name that was given. */
export type Subject =
  | { readonly userId: number }
  | { readonly applicationId: number; readonly kind: string; readonly key: string };

/**
 * Where a try comes from: an address, or a chat server that passes on what somebody typed there and does not say from
 * where. All its users have its one address, so it is counted by for each name that it asks about.
 */
export type Source = string | { readonly chatClientId: number; readonly userName: string };

export type RatedAct = 'sign_up' | 'guest';

/** A rehearsed sign-in dials whatever the definition says: nobody shall look around in a network that way. */
const REHEARSALS = { limit: 60, windowSeconds: 60, pauseSeconds: 60 };

/**
 * For so long an address of which nothing is counted is not looked up again: a backend signs its users in from one
 * address, some hundred a second. What other processes refuse in the meantime may go unseen for that long.
 */
const CLEAR_FOR_MILLISECONDS = 1000;
const MAX_CLEAR = 10_000;

interface Counted {
  readonly key: string;
  readonly rule: ThrottleRule;
}

/** What this process knows of a key that the counters in the database cannot tell yet. */
interface Present {
  /** Tries that wait for their counters to be read. */
  waiting: number;
  /** Tries under way, whose outcome is open. */
  inFlight: number;
  /** Refusals counted since somebody has been here without a break. */
  refusals: number;
}

/**
 * Counts refused tries, one set of counters for all ways in. Tries under way count as refused until they are
 * known not to be, so that a hundred guesses at once are not a hundred free ones.
 */
@Injectable()
export class Throttle {
  private readonly present = new Map<string, Present>();
  /** Addresses without a counter, and when that was read, by the monotonic clock. */
  private readonly clear = new LRUCache<string, number>({ max: MAX_CLEAR });

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
  async attempt<T>(subject: Subject, source: Source, attempt: () => Promise<T | null>): Promise<T | null> {
    const bySubject = { key: subjectKey(subject), rule: this.config.failuresPerUser };
    const counted = [bySubject, this.bySource(source)];
    const known = await this.admit(counted, 'refused and under way');
    try {
      const result = await attempt();
      if (result === null) await this.addRefusal(counted);
      else if (known.has(bySubject.key)) await this.counters.remove(bySubject.key);
      return result;
    } finally {
      for (const { key } of counted) this.leave(key, 'inFlight');
    }
  }

  /**
   * As `attempt`, where nobody knows yet whose secret it is: only the address is counted by, and only what was refused.
   * A backend has one address for all its users, and would be turned away for every provider while one of them is slow
   * to answer; how many are asked at once is bounded for each provider anyway.
   *
   * @throws BrokerError `too_many_requests` without running it; whatever `attempt` throws, which counts for nothing.
   */
  async attemptFrom<T>(address: string, attempt: () => Promise<T | null>): Promise<T | null> {
    const bySource = this.bySource(address);
    const counted = [bySource];
    const clearSince = this.clear.get(bySource.key);
    if (clearSince === undefined || this.clock.monotonic() - clearSince > CLEAR_FOR_MILLISECONDS)
      await this.admit(counted, 'refused alone');
    const result = await attempt();
    if (result === null) await this.addRefusal(counted);
    return result;
  }

  /** Counts a refusal that cost nobody a try at their own secret: only by where it came from. */
  async noteRefusal(source: Source): Promise<void> {
    await this.addRefusal([this.bySource(source)]);
  }

  /** Counts an act of which an address may do only so many. @throws BrokerError `too_many_requests` */
  async spend(act: RatedAct, address: string): Promise<void> {
    const rule = act === 'sign_up' ? this.config.signUpsPerAddress : this.config.guestsPerAddress;
    const count = await this.add(`${act}:${addressKey(address)}`, rule);
    if (count > rule.limit)
      throw new BrokerError('too_many_requests', { retryAfterSeconds: rule.windowSeconds / 10 });
  }

  /** Counts a rehearsal of a sign-in, of which an application may have only so many. @throws BrokerError `too_many_requests` */
  async spendRehearsal(applicationId: number): Promise<void> {
    const count = await this.add(`rehearsal:${applicationId}`, REHEARSALS);
    if (count > REHEARSALS.limit) throw new BrokerError('too_many_requests', { retryAfterSeconds: 60 });
  }

  /**
   * Lets a try begin, and counts it as under way in the same step where such tries count.
   *
   * @returns the keys that have a counter.
   */
  private async admit(
    counted: readonly Counted[],
    counting: 'refused alone' | 'refused and under way',
  ): Promise<ReadonlySet<string>> {
    const before = counted.map(({ key }) => this.enter(key, 'waiting').refusals);
    const askedAt = this.clock.monotonic();
    try {
      const rows = await this.counters.find(counted.map(({ key }) => key));
      const now = this.clock.now();
      const waits = counted.map(({ key, rule }, i) => {
        const row = rows.find((candidate) => candidate.key === key);
        // Refusals that were counted while the counters were being read may not be among what was read.
        const { inFlight, refusals } = this.present.get(key)!;
        const underWay = counting === 'refused alone' ? 0 : inFlight;
        const unread = refusals - before[i]!;
        if (counting === 'refused alone' && !row && unread === 0) this.clear.set(key, askedAt);
        const state = toState(row, underWay, unread, now, rule);
        return secondsToWait(state, rule, now, this.config.processes);
      });
      const wait = Math.max(...waits.map((seconds) => seconds ?? 0));
      if (wait > 0) throw new BrokerError('too_many_requests', { retryAfterSeconds: wait });
      if (counting === 'refused and under way') {
        for (const { key } of counted) this.enter(key, 'inFlight');
      }
      return new Set(rows.map((row) => row.key));
    } finally {
      for (const { key } of counted) this.leave(key, 'waiting');
    }
  }

  private bySource(source: Source): Counted {
    return { key: sourceKey(source), rule: this.config.failuresPerAddress };
  }

  private async addRefusal(counted: readonly Counted[]): Promise<void> {
    for (const { key, rule } of counted) {
      await this.add(key, rule);
      this.clear.delete(key);
      const present = this.present.get(key);
      if (present) present.refusals += 1;
    }
  }

  private add(key: string, rule: ThrottleRule): Promise<number> {
    return this.counters.add(key, rule, this.clock.now());
  }

  private enter(key: string, as: 'waiting' | 'inFlight'): Present {
    let present = this.present.get(key);
    if (!present) this.present.set(key, (present = { waiting: 0, inFlight: 0, refusals: 0 }));
    present[as] += 1;
    return present;
  }

  private leave(key: string, as: 'waiting' | 'inFlight'): void {
    const present = this.present.get(key)!;
    present[as] -= 1;
    if (present.waiting === 0 && present.inFlight === 0) this.present.delete(key);
  }
}

function toState(
  row: ThrottleCounterRow | undefined,
  inFlight: number,
  unread: number,
  now: number,
  rule: ThrottleRule,
): ThrottleState {
  const isInWindow = row !== undefined && row.window_ends_at > now;
  return {
    count: (isInWindow ? row.count : 0) + unread,
    windowEndsAt: isInWindow ? row.window_ends_at : now + rule.windowSeconds * 1000,
    pausedUntil: row?.paused_until ?? 0,
    inFlight,
  };
}

/** Names of nobody are counted like users, or the missing counter would tell that they are nobody's. */
function subjectKey(subject: Subject): string {
  if ('userId' in subject) return `user:${subject.userId}`;
  const digest = createHash('sha256').update(`${subject.kind}:${subject.key}`).digest('base64url');
  return `name:${subject.applicationId}:${digest}`;
}

function sourceKey(source: Source): string {
  return typeof source === 'string'
    ? `address:${addressKey(source)}`
    : `chat:${source.chatClientId}:${source.userName}`;
}
