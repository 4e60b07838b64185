import { Module } from '@nestjs/common';
import { JobRegistry } from '../jobs/job-registry.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { TimeModule } from '../time/time.module.js';
import { PurgeThrottleCountersJob } from './purge-throttle-counters.job.js';
import { Throttle } from './throttle.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

/** Owns the counting of tries. Which tries count, and what a refusal looks like, is the caller's business. */
@Module({
  imports: [JobsModule, TimeModule],
  providers: [Throttle, ThrottleCounterRepository, PurgeThrottleCountersJob],
  exports: [Throttle],
})
export class ThrottleModule {
  constructor(jobs: JobRegistry, purge: PurgeThrottleCountersJob) {
    jobs.register(purge);
  }
}
