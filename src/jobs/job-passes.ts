import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable } from '@nestjs/common';
import { JobsConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { errorFields, Logger } from '../observability/logger.js';
import { isStoreAway } from '../persistence/store-errors.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import { BatchTurns } from './batch-turns.js';
import { LEASE_MILLISECONDS, retrySeconds, type JobLease } from './job-lease.js';
import { JobLeaseRepository, type HeldLease } from './job-lease.repository.js';
import { JobMetrics } from './job-metrics.js';
import type { Job, JobBatch } from './job.js';

/**
 * How a turn at a job ended. `held`: somebody else has the lease; `fenced`: somebody took it over on the way;
 * `interrupted`: the process stops, and somebody else goes on.
 */
export type TurnOutcome = 'done' | 'failed' | 'held' | 'fenced' | 'interrupted';

export interface JobTurn {
  readonly job: string;
  readonly outcome: TurnOutcome;
  readonly batches: number;
  /** Dealt with in this turn. */
  readonly rows: number;
}

export type Progress = (job: string, rows: number) => void;

/**
 * Does passes under a lease. Each batch is one transaction that first renews the lease and last stores the cursor. So
 * a process that was stopped and continued, or whose connection hung, writes nothing once another one has taken over,
 * and one that was killed leaves the cursor of its last whole batch behind.
 */
@Injectable()
export class JobPasses {
  private readonly stopping = new AbortController();
  private readonly turns: BatchTurns;

  constructor(
    private readonly leases: JobLeaseRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    private readonly metrics: JobMetrics,
    private readonly logger: Logger,
    config: JobsConfig,
  ) {
    this.turns = new BatchTurns(config.restMilliseconds, this.stopping.signal);
  }

  /** Every pass finishes the batch it is at and gives its lease back; none begins any more. */
  stop(): void {
    this.stopping.abort();
  }

  /** Takes the lease as it was seen and works until the pass is complete. Never throws: what went wrong is logged. */
  async run(job: Job, seen: JobLease, progress: Progress = () => undefined): Promise<JobTurn> {
    const startedAt = performance.now();
    const turn = { job: job.name, batches: 0, rows: 0 };
    const held: HeldLease = { name: job.name, holder: newHolder() };
    if (this.stopping.signal.aborted) return { ...turn, outcome: 'interrupted' };
    try {
      const taken = await this.take(seen, held);
      if (taken === null) return { ...turn, outcome: 'held' };
      let { cursor } = taken;
      for (;;) {
        const batch = await this.turns.take(async () =>
          this.stopping.signal.aborted ? 'interrupted' : this.runBatch(job, held, cursor),
        );
        if (batch === 'interrupted') return { ...turn, outcome: await this.giveBack(held) };
        if (batch === 'fenced') return { ...turn, outcome: this.noteFenced(job) };
        turn.batches += 1;
        turn.rows += batch.done;
        this.metrics.countBatch(job.name, 'done', batch.done);
        progress(job.name, turn.rows);
        if (batch.nextCursor === null) return { ...turn, outcome: this.noteDone(turn) };
        cursor = batch.nextCursor;
      }
    } catch (error) {
      return { ...turn, outcome: await this.noteFailure(job, seen, held, error) };
    } finally {
      if (turn.batches > 0) this.metrics.observeTurn(job.name, performance.now() - startedAt);
    }
  }

  private take(seen: JobLease, held: HeldLease): Promise<{ cursor: string | null } | null> {
    return this.transactions.run(() => {
      const now = this.clock.now();
      return this.leases.take(seen, held.holder, now, now + LEASE_MILLISECONDS);
    });
  }

  /** The disk is not waited for: a power cut undoes a batch whole, its cursor with it, and it is done again. */
  private runBatch(job: Job, held: HeldLease, cursor: string | null): Promise<JobBatch | 'fenced'> {
    return this.transactions.runUnsynced(async () => {
      if (!(await this.leases.renew(held, this.clock.now() + LEASE_MILLISECONDS))) return 'fenced';
      const batch = await job.runBatch(cursor);
      const now = this.clock.now();
      if (batch.nextCursor !== null) await this.leases.advance(held, batch.nextCursor, batch.done);
      else await this.leases.finish(held, batch.done, now, now + job.everySeconds * 1000);
      return batch;
    });
  }

  private async giveBack(held: HeldLease): Promise<'interrupted'> {
    await this.transactions.run(() => this.leases.giveBack(held));
    return 'interrupted';
  }

  private noteDone({ job, batches, rows }: Omit<JobTurn, 'outcome'>): 'done' {
    this.metrics.noteSuccess(job, this.clock.now());
    this.logger[rows > 0 ? 'info' : 'debug']({ job, batches, rows }, 'job done');
    return 'done';
  }

  private noteFenced({ name }: Job): 'fenced' {
    this.metrics.countBatch(name, 'fenced');
    this.logger.warn({ job: name }, 'job taken over by another process');
    return 'fenced';
  }

  private async noteFailure(job: Job, seen: JobLease, held: HeldLease, error: unknown): Promise<'failed'> {
    this.metrics.countBatch(job.name, 'failed');
    const fields = { job: job.name, ...errorFields(error) };
    if (isAway(error)) this.logger.warn(fields, 'job waits for the database');
    else this.logger.error(fields, 'job failed');
    const waitSeconds = retrySeconds(seen.failures + 1, job.everySeconds);
    try {
      const now = this.clock.now();
      await this.transactions.run(() => this.leases.fail(held, now, now + waitSeconds * 1000));
    } catch (second) {
      // The lease runs out by itself, and somebody goes on at the cursor.
      this.logger.warn({ job: job.name, ...errorFields(second) }, 'failure of a job not recorded');
    }
    return 'failed';
  }
}

function isAway(error: unknown): boolean {
  return isStoreAway(error) || (error instanceof BrokerError && error.code === 'store_unavailable');
}

/** Names a lease for people, too: whose it is. Machines may share names and numbers of processes; 64 random bits do not. */
function newHolder(): string {
  return `${hostname().slice(0, 64)}/${process.pid}/${randomBytes(8).toString('hex')}`;
}
