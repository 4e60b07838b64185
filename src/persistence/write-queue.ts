import { BrokerError } from '../errors/broker-error.js';

/**
 * Lets one write at a time onto SQLite's single writing connection, first come, first served. A write that has
 * waited longer than `waitMilliseconds` is refused instead of begun, so that a stuck disk does not pile work up.
 */
export class WriteQueue {
  private tail: Promise<unknown> = Promise.resolve();

  constructor(private readonly waitMilliseconds: number) {}

  /** @throws BrokerError `store_unavailable` when the turn came too late; whatever `work` throws. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.waitMilliseconds;
    const turn = this.tail.then(() => {
      if (performance.now() > deadline) throw new BrokerError('store_unavailable', { retryAfterSeconds: 1 });
      return work();
    });
    this.tail = turn.catch(() => undefined);
    return turn;
  }
}
