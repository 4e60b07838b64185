import { Module } from '@nestjs/common';
import { TimeModule } from '../time/time.module.js';
import { JobLeaseRepository } from './job-lease.repository.js';
import { JobMetrics } from './job-metrics.js';
import { JobPasses } from './job-passes.js';
import { JobRegistry } from './job-registry.js';
import { JobRunner } from './job-runner.js';
import { JobStates } from './job-states.js';

/**
 * Owns how work that comes round gets done: by one process at a time, in small batches, resumable. What the work is
 * belongs to the features, which register it with `JobRegistry`. Serving processes start the `JobRunner`.
 */
@Module({
  imports: [TimeModule],
  providers: [JobRegistry, JobLeaseRepository, JobMetrics, JobStates, JobPasses, JobRunner],
  exports: [JobRegistry, JobRunner],
})
export class JobsModule {}
