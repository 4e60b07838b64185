import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * An `AsyncLocalStorage` that is switched on only while somebody is inside.
 *
 * On Node 20 and 22 a storage that is on makes every promise of the process pay for it, about a tenth of a session
 * check; from 24 on it costs nothing either way. Work that outlives its `run` does not see the value any more.
 */
export class ScopedStorage<T> {
  private readonly storage = new AsyncLocalStorage<T>();
  private inside = 0;

  get current(): T | undefined {
    return this.inside === 0 ? undefined : this.storage.getStore();
  }

  async run<R>(value: T, work: () => Promise<R>): Promise<R> {
    const leave = this.enter();
    try {
      return await this.storage.run(value, work);
    } finally {
      leave();
    }
  }

  /** Runs work that does not belong to whoever asks for it here, and may outlive them. */
  outside<R>(work: () => R): R {
    return this.inside === 0 ? work() : this.storage.exit(work);
  }

  /** As `run`, for work that says itself when it is over. @returns what to call then, once. */
  runUntil(value: T, work: () => void): () => void {
    const leave = this.enter();
    this.storage.run(value, work);
    return leave;
  }

  private enter(): () => void {
    this.inside += 1;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.inside -= 1;
      if (this.inside === 0) this.storage.disable();
    };
  }
}
