import { Injectable } from '@nestjs/common';
import { Transactions } from '../persistence/transactions.js';
import { FAILURES_PER_CURSOR, type JobLease } from './job-lease.js';
import type { JobLeaseRow } from './job-lease.entity.js';

/** A lease that was taken. `holder` is new each time, so that a process does not mistake a later lease for its own. */
export interface HeldLease {
  readonly name: string;
  readonly holder: string;
}

/** Keeps the leases. Every change but the first names what it was decided on, so that of two only one takes effect. */
@Injectable()
export class JobLeaseRepository {
  constructor(private readonly transactions: Transactions) {}

  async list(): Promise<JobLease[]> {
    const rows = await this.transactions.query<JobLeaseRow>('SELECT * FROM job_leases ORDER BY name');
    return rows.map(toLease);
  }

  /** Makes the row of a job that has none; it is due at once. */
  async insert(name: string, now: number): Promise<void> {
    await this.transactions.query(
      `INSERT INTO job_leases (name, version, next_run_at, rows_done, failures) VALUES (:name, 0, :now, 0, 0)
       ON CONFLICT (name) DO NOTHING`,
      { name, now },
    );
  }

  /**
   * Takes the lease as it was seen. Does not wait for one that somebody is working under at this moment.
   *
   * @returns the cursor to go on at, or null when somebody was first.
   */
  async take(
    seen: JobLease,
    holder: string,
    now: number,
    expiresAt: number,
  ): Promise<{ cursor: string | null } | null> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : '';
    const rows = await this.transactions.query<{ cursor: string | null }>(
      `UPDATE job_leases SET version = version + 1, holder = :holder, lease_expires_at = :expiresAt,
         last_started_at = CASE WHEN cursor IS NULL THEN :now ELSE last_started_at END,
         rows_done = CASE WHEN cursor IS NULL THEN 0 ELSE rows_done END
       WHERE name = (SELECT name FROM job_leases WHERE name = :name AND version = :version ${lock})
       RETURNING cursor`,
      { name: seen.name, version: seen.version, holder, now, expiresAt },
    );
    return rows[0] ?? null;
  }

  /**
   * Renews the lease and holds its row until the transaction ends: nobody can take it meanwhile.
   *
   * @returns false when it is somebody else's by now, and whoever asks has no business to write.
   */
  async renew(held: HeldLease, expiresAt: number): Promise<boolean> {
    return this.change(held, 'lease_expires_at = :expiresAt', { expiresAt });
  }

  /** Stores how far the pass got. */
  async advance(held: HeldLease, cursor: string | null, done: number): Promise<boolean> {
    return this.change(held, 'cursor = :cursor, rows_done = rows_done + :done', { cursor, done });
  }

  /** The pass is complete, with its last batch. */
  async finish(held: HeldLease, done: number, now: number, nextRunAt: number): Promise<boolean> {
    return this.change(
      held,
      `holder = NULL, lease_expires_at = NULL, cursor = NULL, rows_done = rows_done + :done, failures = 0,
       next_run_at = :nextRunAt, last_finished_at = :now, last_succeeded_at = :now, last_outcome = 'done'`,
      { done, now, nextRunAt },
    );
  }

  /** The pass failed. The next turn goes on at the cursor, or from the start where that has failed too often. */
  async fail(held: HeldLease, now: number, nextRunAt: number): Promise<boolean> {
    return this.change(
      held,
      `holder = NULL, lease_expires_at = NULL, failures = failures + 1, next_run_at = :nextRunAt,
       cursor = CASE WHEN (failures + 1) % ${FAILURES_PER_CURSOR} = 0 THEN NULL ELSE cursor END,
       last_finished_at = :now, last_outcome = 'failed'`,
      { now, nextRunAt },
    );
  }

  /** Lets somebody else go on at the cursor, at once. */
  async giveBack(held: HeldLease): Promise<boolean> {
    return this.change(held, 'holder = NULL, lease_expires_at = NULL', {});
  }

  /** @param assignments code, never input. */
  private async change(
    { name, holder }: HeldLease,
    assignments: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<boolean> {
    const rows = await this.transactions.query(
      `UPDATE job_leases SET version = version + 1, ${assignments}
       WHERE name = :name AND holder = :holder RETURNING name`,
      { ...values, name, holder },
    );
    return rows.length === 1;
  }
}

function toLease(row: JobLeaseRow): JobLease {
  return {
    name: row.name,
    version: row.version,
    holder: row.holder,
    leaseExpiresAt: row.lease_expires_at,
    nextRunAt: row.next_run_at,
    cursor: row.cursor,
    rowsDone: row.rows_done,
    failures: row.failures,
    lastStartedAt: row.last_started_at,
    lastFinishedAt: row.last_finished_at,
    lastSucceededAt: row.last_succeeded_at,
    lastOutcome: row.last_outcome,
  };
}
