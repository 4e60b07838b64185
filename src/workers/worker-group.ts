import cluster from 'node:cluster';
import { errorFields, type Logger } from '../observability/logger.js';
import { GroupMetrics } from './group-metrics.js';
import type { ServingAddress } from './messages.js';
import { restartDelayMilliseconds, WELL_AFTER_MILLISECONDS } from './restart-delay.js';
import { WorkerProcess, type WorkerEnd } from './worker-process.js';

/** After the time that a worker gives itself, and before an orchestrator kills all. */
const KILL_GRACE_MILLISECONDS = 1200;

/** The workers of one installation on one machine: starts them, replaces those that end, ends all. */
export class WorkerGroup {
  private readonly workers = new Set<WorkerProcess>();
  private readonly metrics = new GroupMetrics();
  private stopping = false;

  constructor(
    private readonly size: number,
    private readonly shutdownSeconds: number,
    private readonly logger: Logger,
  ) {
    // Connections are handed out in turn; what the kernel would do fills one worker before the next.
    cluster.schedulingPolicy = cluster.SCHED_RR;
  }

  get isStopping(): boolean {
    return this.stopping;
  }

  /**
   * Starts one worker, which brings the database up to date and makes the key, and when that one serves all others.
   *
   * @returns where they answer. @throws WorkerStartError when one of them cannot start; others may be serving then.
   */
  async start(): Promise<ServingAddress> {
    const address = await this.launch(0).serving;
    await Promise.all(Array.from({ length: this.size - 1 }, () => this.launch(0).serving));
    return address;
  }

  /** Lets every worker finish what it has begun. @returns whether all ended as they should, and in time. */
  async stop(): Promise<boolean> {
    this.stopping = true;
    const limit = this.shutdownSeconds * 1000 + KILL_GRACE_MILLISECONDS;
    const killer = setTimeout(() => this.kill(), limit);
    const ends = await Promise.all([...this.workers].map((worker) => worker.stop()));
    clearTimeout(killer);
    return ends.every(({ code, servedMilliseconds }) => code === 0 || servedMilliseconds === null);
  }

  /** Ends every worker at once, whatever it is doing. */
  kill(): void {
    this.stopping = true;
    for (const worker of this.workers) worker.kill();
  }

  /** @param endsBefore ends in a row before this worker, of those it replaces. */
  private launch(endsBefore: number): WorkerProcess {
    const worker = WorkerProcess.fork(() => this.gatherMetrics());
    this.workers.add(worker);
    worker.serving.then(
      () => {
        if (endsBefore === 0) this.logger.debug({ worker: worker.pid }, 'worker serving');
        else this.logger.info({ worker: worker.pid }, 'worker replaced');
      },
      // Its end tells.
      () => undefined,
    );
    void worker.ended.then((end) => {
      this.workers.delete(worker);
      this.metrics.retire(worker);
      const isFirstStart = endsBefore === 0 && end.servedMilliseconds === null;
      // `start` tells of one that did not come to serve at the beginning.
      if (!this.stopping && !isFirstStart) this.replace(worker.pid, end, endsBefore);
    });
    return worker;
  }

  private replace(pid: number | undefined, end: WorkerEnd, endsBefore: number): void {
    const { code, signal, sentence, servedMilliseconds } = end;
    const wasWell = servedMilliseconds !== null && servedMilliseconds >= WELL_AFTER_MILLISECONDS;
    const endsInARow = wasWell ? 1 : endsBefore + 1;
    const delay = restartDelayMilliseconds(endsInARow);
    const fields = { worker: pid, code, signal, ...(sentence !== null && { reason: sentence }) };
    this.logger.error({ ...fields, replaced_in_milliseconds: delay }, 'worker ended unexpectedly');
    setTimeout(() => {
      if (!this.stopping) this.launchInPlace(endsInARow);
    }, delay);
  }

  private launchInPlace(endsInARow: number): void {
    try {
      this.launch(endsInARow);
    } catch (error) {
      // Out of memory or of processes: the others go on, and this place is tried again.
      const sentence = (error as Error).message;
      this.replace(undefined, { code: null, signal: null, sentence, servedMilliseconds: null }, endsInARow);
    }
  }

  private async gatherMetrics(): Promise<string | null> {
    try {
      return await this.metrics.text([...this.workers].filter(({ isServing }) => isServing));
    } catch (error) {
      this.logger.warn(errorFields(error), 'metrics cannot be gathered');
      return null;
    }
  }
}
