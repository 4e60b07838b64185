import cluster, { type Worker } from 'node:cluster';
import { BrokerError } from '../errors/broker-error.js';
import type { Exposition } from '../observability/exposition.js';
import type { MetricsSnapshot } from '../observability/metrics-snapshot.js';
import type { FromParent, FromWorker, ServingAddress } from './messages.js';

/** Longer than the parent waits for the workers, and well within the ten seconds of a scrape. */
const SCRAPE_MILLISECONDS = 4000;

/** A worker's end of the channel to its parent. */
export class ParentLink implements Exposition {
  private readonly scrapes = new Map<number, (text: string | null) => void>();
  private lastId = 0;

  private constructor(private readonly worker: Worker) {
    worker.on('message', (message: FromParent) => {
      if (message.kind === 'metrics') this.scrapes.get(message.id)?.(message.text);
    });
  }

  /** Only in a process that was started as a worker. Until `onGone`, this process ends at once if its parent does. */
  static open(): ParentLink {
    return new ParentLink(cluster.worker!);
  }

  /** Nobody would replace or stop this process any more, and its port is closed already: the parent held it. */
  onGone(react: () => void): void {
    this.worker.once('disconnect', () => {
      // Else Node takes it for an accident and ends this process on the spot, with requests in flight.
      this.worker.exitedAfterDisconnect = true;
      react();
    });
  }

  /** Lets the parent read the metrics of this process. */
  offerSnapshots(take: () => Promise<MetricsSnapshot>): void {
    this.worker.on('message', (message: FromParent) => {
      if (message.kind !== 'snapshot-wanted') return;
      // One that cannot be taken is one that does not come, which the parent expects.
      take().then(
        (snapshot) => void this.send({ kind: 'snapshot', id: message.id, snapshot }),
        () => undefined,
      );
    });
  }

  async sayServing(address: ServingAddress): Promise<void> {
    await this.send({ kind: 'serving', ...address });
  }

  async sayFailed(sentence: string): Promise<void> {
    await this.send({ kind: 'failed', sentence });
  }

  async text(): Promise<string> {
    const id = (this.lastId += 1);
    const answer = new Promise<string | null>((resolve) => this.scrapes.set(id, resolve));
    const late = setTimeout(() => this.scrapes.get(id)?.(null), SCRAPE_MILLISECONDS);
    try {
      const isSent = await this.send({ kind: 'metrics-wanted', id });
      const text = isSent ? await answer : null;
      if (text === null) throw new BrokerError('metrics_unavailable');
      return text;
    } finally {
      clearTimeout(late);
      this.scrapes.delete(id);
    }
  }

  /** @returns whether it went out; it does not when the parent is gone, which `onGone` tells. */
  private send(message: FromWorker): Promise<boolean> {
    return new Promise((resolve) => this.worker.send(message, (error) => resolve(error === null)));
  }
}
