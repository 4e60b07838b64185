import { countsOf, OwnUsage, textOf, type MetricsSnapshot } from '../observability/metrics-snapshot.js';

/** Somebody whose metrics can be read. */
export interface MetricsOwner {
  /** Null when it ends meanwhile. @throws when it does not answer. */
  snapshot(): Promise<MetricsSnapshot | null>;
}

/**
 * The metrics of all workers together, with the processor time and memory of their parent.
 *
 * What a worker had counted when it was last read stays in the sums after its end: a sum that falls looks to Prometheus
 * like a restart, and all that the others have ever counted like something new.
 */
export class GroupMetrics {
  private readonly own = new OwnUsage();
  private readonly latest = new Map<MetricsOwner, MetricsSnapshot>();
  private ofEnded: MetricsSnapshot = [];

  /** @throws when a worker does not answer. */
  async text(workers: readonly MetricsOwner[]): Promise<string> {
    await Promise.all(
      workers.map(async (worker) => {
        const snapshot = await worker.snapshot();
        if (snapshot) this.latest.set(worker, snapshot);
      }),
    );
    const own = await this.own.snapshot();
    return textOf([own, ...this.latest.values(), this.ofEnded]);
  }

  /** To be told of each worker that has ended. */
  retire(worker: MetricsOwner): void {
    const last = this.latest.get(worker);
    if (!last) return;
    this.latest.delete(worker);
    this.ofEnded = countsOf([this.ofEnded, last]);
  }
}
