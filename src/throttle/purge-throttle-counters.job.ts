import { Injectable } from '@nestjs/common';
import { FROM_THE_START, type Job, type JobBatch } from '../jobs/job.js';
import { Clock } from '../time/clock.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

const BATCH = 400;

/** Removes counters that count nothing any more. Often, as anybody makes a row by trying from one more address. */
@Injectable()
export class PurgeThrottleCountersJob implements Job {
  readonly name = 'purge-throttle-counters';
  readonly everySeconds = 5 * 60;

  constructor(
    private readonly counters: ThrottleCounterRepository,
    private readonly clock: Clock,
  ) {}

  async runBatch(): Promise<JobBatch> {
    const done = await this.counters.removeLapsed(this.clock.now(), BATCH);
    return { done, nextCursor: done < BATCH ? null : FROM_THE_START };
  }
}
