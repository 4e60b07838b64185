import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** One job: who works on it, how far it got, when it is due. Instants in milliseconds since the epoch. */
export interface JobLeaseRow {
  name: string;
  /** Grows with every change of the row: who judged an older one takes nothing. */
  version: number;
  /** New with each taking of the lease; null while nobody works on the job. */
  holder: string | null;
  lease_expires_at: number | null;
  next_run_at: number;
  /** Where an interrupted pass goes on; null between passes. */
  cursor: string | null;
  /** Of the pass under way, or of the last one. */
  rows_done: number;
  /** In a row, since the last success. */
  failures: number;
  last_started_at: number | null;
  last_finished_at: number | null;
  last_succeeded_at: number | null;
  last_outcome: 'done' | 'failed' | null;
}

export const jobLeaseRow = (c: Columns) =>
  new EntitySchema<JobLeaseRow>({
    name: 'job_leases',
    tableName: 'job_leases',
    columns: {
      name: c.varchar(64, { primary: true }),
      version: c.bigInteger(),
      holder: c.varchar(128, { nullable: true }),
      lease_expires_at: c.instant({ nullable: true }),
      next_run_at: c.instant(),
      cursor: c.text({ nullable: true }),
      rows_done: c.bigInteger(),
      failures: c.integer(),
      last_started_at: c.instant({ nullable: true }),
      last_finished_at: c.instant({ nullable: true }),
      last_succeeded_at: c.instant({ nullable: true }),
      last_outcome: c.varchar(16, { nullable: true }),
    },
  });
