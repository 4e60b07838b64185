import { Injectable } from '@nestjs/common';
import { FROM_THE_START, type Job, type JobBatch } from '../../jobs/job.js';
import { PurgeRepository } from './purge.repository.js';

const BATCH = 400;

/** Far longer than any process goes on without reading the log: one that does trusts nothing it has in memory. */
const KEPT_MILLISECONDS = 60 * 60 * 1000;

/** Removes revocations that every process has read. Their time is the database's, and so is the one they are judged by. */
@Injectable()
export class PurgeRevocationsJob implements Job {
  readonly name = 'purge-revocations';
  readonly everySeconds = 10 * 60;

  constructor(private readonly purge: PurgeRepository) {}

  async runBatch(): Promise<JobBatch> {
    const done = await this.purge.removeRevocations(KEPT_MILLISECONDS, BATCH);
    return { done, nextCursor: done < BATCH ? null : FROM_THE_START };
  }
}
