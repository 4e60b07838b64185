import { Clock } from '../../src/time/clock.js';

/** A clock that stands still until a test moves it. */
export class ManualClock extends Clock {
  private milliseconds = Date.UTC(2026, 0, 1);
  private passed = 0;

  override now(): number {
    return this.milliseconds;
  }

  override monotonic(): number {
    return this.passed;
  }

  /** By less than nothing: somebody sets the clock back, which no time passes by. */
  advance(by: {
    days?: number;
    hours?: number;
    minutes?: number;
    seconds?: number;
    milliseconds?: number;
  }): void {
    const { days = 0, hours = 0, minutes = 0, seconds = 0, milliseconds = 0 } = by;
    const moved = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + milliseconds;
    this.milliseconds += moved;
    this.passed += Math.max(0, moved);
  }
}
