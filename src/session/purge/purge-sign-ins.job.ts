import { Injectable } from '@nestjs/common';
import { FROM_THE_START, type Job, type JobBatch } from '../../jobs/job.js';
import { Clock } from '../../time/clock.js';
import { SpentCredentialRepository } from '../federated/spent-credential.repository.js';
import { RedirectSignInRepository } from '../redirect/redirect-sign-in.repository.js';

const BATCH = 200;

/** Removes browser sign-ins that nobody came back from, and one-time tokens that have expired by themselves. */
@Injectable()
export class PurgeSignInsJob implements Job {
  readonly name = 'purge-sign-ins';
  readonly everySeconds = 10 * 60;

  constructor(
    private readonly journeys: RedirectSignInRepository,
    private readonly spent: SpentCredentialRepository,
    private readonly clock: Clock,
  ) {}

  async runBatch(): Promise<JobBatch> {
    const now = this.clock.now();
    const removed = [await this.journeys.removeLapsed(now, BATCH), await this.spent.removeLapsed(now, BATCH)];
    return {
      done: removed[0]! + removed[1]!,
      nextCursor: removed.every((count) => count < BATCH) ? null : FROM_THE_START,
    };
  }
}
