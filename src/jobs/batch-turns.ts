import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/**
 * Lets one batch at a time run in this process, of whichever job asked first, with a rest after each: a job with much
 * to do holds up neither requests nor the other jobs.
 */
export class BatchTurns {
  private tail: Promise<unknown> = Promise.resolve();

  /** @param hurry ends rests at once: nobody waits for them any more. */
  constructor(
    private readonly restMilliseconds: number,
    private readonly hurry: AbortSignal,
  ) {}

  /** @throws whatever `batch` throws. */
  take<T>(batch: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(batch);
    this.tail = turn.then(
      () => this.rest(),
      () => this.rest(),
    );
    return turn;
  }

  private async rest(): Promise<void> {
    // On SQLite a batch ends without a turn of the event loop, and requests would wait for all batches.
    await nextTurn();
    if (this.restMilliseconds === 0) return;
    await delay(this.restMilliseconds, undefined, { signal: this.hurry }).catch(() => undefined);
  }
}
