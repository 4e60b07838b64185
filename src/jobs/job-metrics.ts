import { Injectable } from '@nestjs/common';
import { Metrics } from '../observability/metrics.js';

/** `fenced`: another process had taken the lease over, and nothing of the batch was written. */
export type BatchOutcome = 'done' | 'failed' | 'fenced';

/** What an operator sees of the jobs. Counts are of this process; the last success is everybody's. */
@Injectable()
export class JobMetrics {
  private readonly batches;
  private readonly rows;
  private readonly successes;
  private readonly durations;

  constructor(metrics: Metrics) {
    this.batches = metrics.counter('ostiary_job_batches_total', 'Batches of jobs.', ['job', 'outcome']);
    this.rows = metrics.counter('ostiary_job_rows_total', 'Rows that jobs dealt with.', ['job']);
    this.successes = metrics.timestamps(
      'ostiary_job_last_success_timestamp_seconds',
      'When a pass of the job was last completed, by whichever process.',
      ['job'],
    );
    this.durations = metrics.durations(
      'ostiary_job_duration_seconds',
      'How long a process was at a job at a stretch.',
      ['job'],
    );
  }

  countBatch(job: string, outcome: BatchOutcome, rows = 0): void {
    this.batches.inc({ job, outcome });
    this.rows.inc({ job }, rows);
  }

  noteSuccess(job: string, at: number): void {
    this.successes.set({ job }, at / 1000);
  }

  observeTurn(job: string, milliseconds: number): void {
    this.durations.observe({ job }, milliseconds / 1000);
  }
}
