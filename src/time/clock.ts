/** The current time, injected so that tests move it instead of sleeping. */
export abstract class Clock {
  /** Milliseconds since the Unix epoch, as `Date.now()`. A plain number: the session check allocates nothing for it. */
  abstract now(): number;

  /**
   * Milliseconds since some moment of this process's life, as `performance.now()`: for ages. It goes on while the
   * process is stopped, and nobody can set it back.
   */
  abstract monotonic(): number;
}

export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }

  override monotonic(): number {
    return performance.now();
  }
}
