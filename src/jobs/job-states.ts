import { Injectable } from '@nestjs/common';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import { isDue, isFree, type JobLease } from './job-lease.js';
import { JobLeaseRepository } from './job-lease.repository.js';
import { JobMetrics } from './job-metrics.js';
import { JobRegistry } from './job-registry.js';
import type { Job } from './job.js';

/** A job with what the database knows of it. */
export interface JobState {
  readonly job: Job;
  readonly lease: JobLease;
  /** Whether nobody is at it. */
  readonly isFree: boolean;
  readonly isDue: boolean;
}

/** Puts together the jobs that this process knows and the leases that all of them share. */
@Injectable()
export class JobStates {
  constructor(
    private readonly registry: JobRegistry,
    private readonly leases: JobLeaseRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    private readonly metrics: JobMetrics,
  ) {}

  /** Every job, in the order of names; one that is new gets its row. */
  async list(): Promise<JobState[]> {
    const jobs = this.registry.list();
    const leases = await this.leasesOf(jobs);
    const now = this.clock.now();
    return jobs.map((job) => {
      const lease = leases.get(job.name)!;
      if (lease.lastSucceededAt !== null) this.metrics.noteSuccess(job.name, lease.lastSucceededAt);
      return { job, lease, isFree: isFree(lease, now), isDue: isDue(lease, job.everySeconds, now) };
    });
  }

  private async leasesOf(jobs: readonly Job[]): Promise<ReadonlyMap<string, JobLease>> {
    const known = await this.read();
    const missing = jobs.filter(({ name }) => !known.has(name));
    if (missing.length === 0) return known;
    await this.transactions.run(async () => {
      const now = this.clock.now();
      for (const { name } of missing) await this.leases.insert(name, now);
    });
    return this.read();
  }

  private async read(): Promise<Map<string, JobLease>> {
    return new Map((await this.leases.list()).map((lease) => [lease.name, lease]));
  }
}
