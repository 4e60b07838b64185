import { Injectable } from '@nestjs/common';
import type { ThrottleRule } from '../config/config.js';
import { Transactions } from '../persistence/transactions.js';
import type { ThrottleCounterRow } from './throttle-counter.entity.js';

/** Keeps counters in the database, so that every process and every restart counts on. */
@Injectable()
export class ThrottleCounterRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The counters that exist among `keys`; ones whose window is over may be among them. */
  async find(keys: readonly string[]): Promise<ThrottleCounterRow[]> {
    const names = Object.fromEntries(keys.map((key, i) => [`key${i}`, key]));
    return this.transactions.query<ThrottleCounterRow>(
      `SELECT key, count, window_ends_at, paused_until FROM throttle_counters
       WHERE key IN (${keys.map((_, i) => `:key${i}`).join(', ')})`,
      names,
    );
  }

  /** Counts one more in a single statement. @returns the count within the present window. */
  async add(key: string, rule: ThrottleRule, now: number): Promise<number> {
    const rows = await this.transactions.run(() =>
      this.transactions.query<{ count: number }>(ADD, {
        key,
        now,
        windowEnd: now + rule.windowSeconds * 1000,
        limit: rule.limit,
        pauseEnd: rule.pauseSeconds > 0 ? now + rule.pauseSeconds * 1000 : 0,
        firstPause: rule.pauseSeconds > 0 && rule.limit <= 1 ? now + rule.pauseSeconds * 1000 : 0,
      }),
    );
    return rows[0]!.count;
  }

  async remove(key: string): Promise<void> {
    await this.transactions.run(() =>
      this.transactions.query('DELETE FROM throttle_counters WHERE key = :key', { key }),
    );
  }

  /** Deletes up to `most` counters that count nothing any more, none that counts again meanwhile. @returns how many. */
  async removeLapsed(now: number, most: number): Promise<number> {
    const rows = await this.transactions.query(
      `DELETE FROM throttle_counters WHERE ${LAPSED} AND key IN (
         SELECT key FROM throttle_counters WHERE ${LAPSED} ORDER BY window_ends_at LIMIT :most) RETURNING key`,
      { now, most },
    );
    return rows.length;
  }
}

const LAPSED = 'window_ends_at <= :now AND paused_until <= :now';
const IN_WINDOW = 'throttle_counters.window_ends_at > :now';
const ADD = `
  INSERT INTO throttle_counters (key, count, window_ends_at, paused_until)
  VALUES (:key, 1, :windowEnd, :firstPause)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN ${IN_WINDOW} THEN throttle_counters.count + 1 ELSE 1 END,
    window_ends_at = CASE WHEN ${IN_WINDOW} THEN throttle_counters.window_ends_at ELSE excluded.window_ends_at END,
    paused_until = CASE
      WHEN ${IN_WINDOW} AND throttle_counters.count + 1 >= :limit THEN :pauseEnd
      ELSE excluded.paused_until END
  RETURNING count`;
