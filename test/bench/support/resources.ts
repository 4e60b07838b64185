type Close = () => Promise<void> | void;

/** What was started and must be gone at the end; the latest first. */
export class Resources {
  private readonly closers: Close[] = [];

  defer(close: Close): void {
    this.closers.push(close);
  }

  /** Closes everything, whatever fails on the way. @throws the first failure. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.closers.pop(); close; close = this.closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
