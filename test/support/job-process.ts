import { JobLeaseRepository } from '../../src/jobs/job-lease.repository.js';
import { JobMetrics } from '../../src/jobs/job-metrics.js';
import { JobPasses } from '../../src/jobs/job-passes.js';
import { JobRegistry } from '../../src/jobs/job-registry.js';
import { JobRunner } from '../../src/jobs/job-runner.js';
import { JobStates } from '../../src/jobs/job-states.js';
import type { Job, JobBatch } from '../../src/jobs/job.js';
import { DomainEvents } from '../../src/events/domain-events.js';
import { createLogger } from '../../src/observability/logger.js';
import { Metrics } from '../../src/observability/metrics.js';
import type { Transactions } from '../../src/persistence/transactions.js';
import type { Clock } from '../../src/time/clock.js';
import { intoList } from './test-app.js';

/** What a serving process has of jobs, on whichever store. Nothing runs before a test says so. */
export class JobProcess {
  readonly registry = new JobRegistry();
  readonly metrics = new Metrics(new DomainEvents());
  readonly leases: JobLeaseRepository;
  readonly runner: JobRunner;
  private readonly logged: string[] = [];

  constructor(transactions: Transactions, clock: Clock, jobs: readonly Job[], enabled = true) {
    const config = { enabled, restMilliseconds: 0 };
    const logger = createLogger({ level: 'info' }, intoList(this.logged));
    const jobMetrics = new JobMetrics(this.metrics);
    this.leases = new JobLeaseRepository(transactions);
    this.runner = new JobRunner(
      new JobStates(this.registry, this.leases, transactions, clock, jobMetrics),
      new JobPasses(this.leases, transactions, clock, jobMetrics, logger, config),
      logger,
      config,
    );
    for (const job of jobs) this.registry.register(job);
  }

  get log(): string {
    return this.logged.join('');
  }

  /** The value of a metric line that begins with this. */
  async metric(line: string): Promise<number | undefined> {
    const lines = (await this.metrics.text()).split('\n');
    const found = lines.find((candidate) => candidate.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  }
}

/** Runs a whole pass of one job, each batch in a transaction of its own. @returns what each batch did. */
export async function runPass(transactions: Transactions, job: Job): Promise<number[]> {
  const batches: number[] = [];
  let cursor: string | null = null;
  do {
    const at: string | null = cursor;
    const batch: JobBatch = await transactions.run(() => job.runBatch(at));
    batches.push(batch.done);
    cursor = batch.nextCursor;
  } while (cursor !== null);
  return batches;
}
