import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { JobsConfig } from '../config/config.js';
import { errorFields, Logger } from '../observability/logger.js';
import { JobPasses, type JobTurn, type Progress } from './job-passes.js';
import { JobStates, type JobState } from './job-states.js';

/** How often a serving process looks for work. Real time: what is due is the clock's to say. */
const LOOK_EVERY_MILLISECONDS = 10_000;

/** Past this, a batch that still hangs is left to its fence: the process has to be gone before it is killed. */
const STOP_WITHIN_MILLISECONDS = 1500;

/**
 * Finds what is due and has it done. The command line opens the same modules, so nothing runs by itself: a serving
 * process calls `start`.
 */
@Injectable()
export class JobRunner implements BeforeApplicationShutdown, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;
  private readonly working = new Set<Promise<unknown>>();

  constructor(
    private readonly states: JobStates,
    private readonly passes: JobPasses,
    private readonly logger: Logger,
    private readonly config: JobsConfig,
  ) {}

  /** Does what is due, from now on. Without effect where `jobs.enabled` is off, and the second time. */
  start(): void {
    if (!this.config.enabled || this.timer || this.isStopping) return;
    this.lookIn(Math.random() * LOOK_EVERY_MILLISECONDS);
  }

  /** Begins no batch any more. Resolves once leases are given back, or after a moment. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    this.passes.stop();
    if (this.working.size === 0) return;
    const patience = new AbortController();
    const limit = delay(STOP_WITHIN_MILLISECONDS, undefined, { signal: patience.signal });
    await Promise.race([Promise.allSettled(this.working), limit.catch(() => undefined)]);
    patience.abort();
  }

  /** Requests in flight are answered after this; no job needs to begin another batch beside them. */
  beforeApplicationShutdown(): void {
    void this.stop();
  }

  /** Before the stores close, as `PersistenceModule` is last. */
  onApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /** Every job, in the order of names. */
  list(): Promise<JobState[]> {
    return this.states.list();
  }

  /** Does everything that is due and that nobody else is at. Resolves when that is over, whatever became of it. */
  runDue(progress?: Progress): Promise<JobTurn[]> {
    return this.track(async () => {
      const due = (await this.states.list()).filter((state) => state.isFree && state.isDue);
      const turns = await Promise.all(due.map(({ job, lease }) => this.passes.run(job, lease, progress)));
      return turns.filter(({ outcome }) => outcome !== 'held');
    });
  }

  /** Does a pass of one job, due or not. @returns null when there is no such job. */
  runNow(name: string, progress?: Progress): Promise<JobTurn | null> {
    return this.track(async () => {
      const state = (await this.states.list()).find(({ job }) => job.name === name);
      if (!state) return null;
      if (state.isFree) return this.passes.run(state.job, state.lease, progress);
      return { job: name, outcome: 'held', batches: 0, rows: 0 };
    });
  }

  private lookIn(milliseconds: number): void {
    this.timer = setTimeout(() => this.look(), milliseconds).unref();
  }

  /** A job that takes long is not waited for: others become due meanwhile, and its own lease keeps it from starting twice. */
  private look(): void {
    this.runDue().catch((error: unknown) => this.logger.warn(errorFields(error), 'jobs cannot be looked up'));
    // Spread, so that processes started together do not ask together for ever.
    this.lookIn(LOOK_EVERY_MILLISECONDS * (0.5 + Math.random()));
  }

  private async track<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.working.add(running);
    try {
      return await running;
    } finally {
      this.working.delete(running);
    }
  }
}
