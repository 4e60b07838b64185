/** The current time, injected so that tests move it instead of sleeping. */
export abstract class Clock {
  /** Milliseconds since the Unix epoch, as `Date.now()`. A plain number: the session check allocates nothing for it. */
  abstract now(): number;
}

export class SystemClock extends Clock {
  override now(): number {
    return Date.now();
  }
}
