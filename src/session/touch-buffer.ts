import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorFields, type Logger } from '../observability/logger.js';

/** A use, of a session or by a user, that is not written yet. */
export interface PendingTouch {
  readonly id: number;
  readonly at: number;
}

export type WriteTouches = (touches: readonly PendingTouch[]) => Promise<void>;

/** Small enough that a batch on SQLite, which runs on the event loop, delays nobody noticeably. */
const BATCH = 250;

/**
 * Collects uses and writes them in batches, so that a session check writes nothing. What is pending when the process
 * is killed is lost: a slide of at most one flush, never a session.
 */
export class TouchBuffer {
  private readonly pending = new Map<number, PendingTouch>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> | undefined;

  constructor(
    private readonly write: WriteTouches,
    private readonly flushMilliseconds: number,
    private readonly logger: Logger,
  ) {}

  get size(): number {
    return this.pending.size;
  }

  /** @param withinMilliseconds of this use it should be written, for sessions that idle out sooner than the flush. */
  add(touch: PendingTouch, withinMilliseconds: number): void {
    this.pending.set(touch.id, touch);
    this.timer ??= setTimeout(
      () => void this.flush(),
      Math.min(this.flushMilliseconds, withinMilliseconds),
    ).unref();
  }

  /** The last use, if that is not written yet. */
  pendingAt(id: number): number | undefined {
    return this.pending.get(id)?.at;
  }

  /** Writes everything pending. Does not throw: what could not be written stays pending and is tried again. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.flushing;
    this.flushing = this.writeAll();
    await this.flushing;
    if (this.pending.size > 0)
      this.timer ??= setTimeout(() => void this.flush(), this.flushMilliseconds).unref();
  }

  private async writeAll(): Promise<void> {
    // Rows with near ids lie on the same pages, and a page is written whole: in order, a batch writes far fewer.
    const touches = [...this.pending.values()].sort((a, b) => a.id - b.id);
    for (let from = 0; from < touches.length; from += BATCH) {
      const batch = touches.slice(from, from + BATCH);
      // On SQLite a write ends without a turn of the event loop, and requests would wait for all batches.
      if (from > 0) await nextTurn();
      try {
        await this.write(batch);
      } catch (error) {
        this.logger.warn(
          { pending: this.pending.size, ...errorFields(error) },
          'session activity not written yet',
        );
        return;
      }
      for (const touch of batch) {
        // A later use that came meanwhile stays.
        if (this.pending.get(touch.id) === touch) this.pending.delete(touch.id);
      }
    }
  }
}
