const BAR_WIDTH = 24;

/** Says on stderr how far a bench is: one line drawn over on a terminal, plain lines elsewhere. */
export class Progress {
  private total = 0;
  private done = 0;
  private readonly startedAt = performance.now();

  constructor(private readonly stream: NodeJS.WriteStream) {}

  /** Announces steps to come; may be called again when more turn up. */
  plan(steps: number): void {
    this.total += steps;
  }

  /** Begins a step and ends the one before it. */
  step(text: string): void {
    const seconds = Math.round((performance.now() - this.startedAt) / 1000);
    const position = `${this.done + 1}/${Math.max(this.total, this.done + 1)}`;
    if (this.stream.isTTY) {
      const filled = Math.min(BAR_WIDTH, Math.floor((this.done / Math.max(this.total, 1)) * BAR_WIDTH));
      const bar = '#'.repeat(filled).padEnd(BAR_WIDTH, '.');
      this.stream.write(`\r\x1b[K[${bar}] ${position} ${text} (${seconds} s)`);
    } else {
      this.stream.write(`${position} ${text} (${seconds} s)\n`);
    }
    this.done += 1;
  }

  /** Something to keep on the screen beside the steps. */
  note(text: string): void {
    this.clear();
    this.stream.write(`${text}\n`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\x1b[K');
  }
}
