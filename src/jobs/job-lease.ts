/** What the database knows of a job. Instants in milliseconds since the epoch. */
export interface JobLease {
  readonly name: string;
  readonly version: number;
  readonly holder: string | null;
  readonly leaseExpiresAt: number | null;
  readonly nextRunAt: number;
  readonly cursor: string | null;
  /** Of the pass under way, or of the last one. */
  readonly rowsDone: number;
  readonly failures: number;
  readonly lastStartedAt: number | null;
  readonly lastFinishedAt: number | null;
  readonly lastSucceededAt: number | null;
  readonly lastOutcome: 'done' | 'failed' | null;
}

/** Renewed by every batch, so that it is longer than a batch can take. */
export const LEASE_MILLISECONDS = 60_000;

const FIRST_RETRY_SECONDS = 30;

/** After so many failures in a row the cursor is given up: it may be one that this version cannot read. */
export const FAILURES_PER_CURSOR = 3;

/*
 * Clocks decide here who may try, never who may write: a batch is fenced by the holder's name, inside its own
 * transaction. So a clock that is wrong costs a change of hands or a pass too many, and these two rules see to it that
 * one which is put back does not stop a job for as long as it was ahead.
 */

/** Whether the job may be taken. An end further ahead than any holder would set it was set by a clock that was wrong. */
export function isFree(lease: JobLease, now: number): boolean {
  if (lease.holder === null || lease.leaseExpiresAt === null) return true;
  return lease.leaseExpiresAt <= now || lease.leaseExpiresAt > now + 2 * LEASE_MILLISECONDS;
}

/** Whether a pass is due. A turn later than the job ever waits was set by a clock that was wrong, or by an older version. */
export function isDue(lease: JobLease, everySeconds: number, now: number): boolean {
  return lease.nextRunAt <= now || lease.nextRunAt > now + everySeconds * 1000;
}

/** How long a job that failed so often in a row waits for its next turn: twice as long each time, never past its own. */
export function retrySeconds(failures: number, everySeconds: number): number {
  return Math.min(everySeconds, FIRST_RETRY_SECONDS * 2 ** Math.min(failures - 1, 20));
}
