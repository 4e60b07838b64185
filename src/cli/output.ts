import { pipeline } from 'node:stream/promises';
import { styleText } from 'node:util';
import { CommanderError } from 'commander';

/** A mistake of the person at the keyboard, said in one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** With `--json` one document on stdout; without, tables for people. Everything else goes to stderr. */
export class Output {
  constructor(private readonly isJson: () => boolean) {}

  /** Prints a result: the document itself, or `forPeople` of it. */
  result<T>(document: T, forPeople: (document: T) => string): void {
    process.stdout.write(this.isJson() ? `${JSON.stringify(document)}\n` : `${forPeople(document)}\n`);
  }

  /**
   * Prints a list item by item, however long it is: a line each, or with `--json` one document that has them all.
   * Waits for whoever reads, and ends without a word when they stop reading, as `head` does.
   */
  async items(items: AsyncIterable<unknown>): Promise<void> {
    try {
      await pipeline(this.isJson() ? oneDocument(items) : lines(items), process.stdout, { end: false });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    }
  }

  /** Text in a colour where somebody looks at it; the plain text in files and pipes. */
  coloured(text: string, colour: 'red' | 'green' | null): string {
    const isSeen = process.stdout.isTTY && process.stdout.hasColors();
    return isSeen && colour !== null ? styleText(colour, text) : text;
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** One line that is drawn over while work goes on; nothing where nobody watches. */
  progress(text: string): void {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  }

  progressDone(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }

  /** Says why a command failed. @returns the exit status. */
  failed(error: unknown, explain: (error: unknown) => string): number {
    // Help, the version and faults of usage have been printed by the parser itself.
    if (error instanceof CommanderError) return error.exitCode;
    const message = error instanceof UsageError ? error.message : explain(error);
    process.stderr.write(`${message}\n`);
    return 1;
  }
}

async function* lines(items: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`;
}

async function* oneDocument(items: AsyncIterable<unknown>): AsyncIterable<string> {
  let before = '{"items":[';
  for await (const item of items) {
    yield before + JSON.stringify(item);
    before = ',';
  }
  yield before === ',' ? ']}\n' : `${before}]}\n`;
}

/**
 * Rows under a heading, columns aligned.
 *
 * @param paint puts colour into a cell of the column, after it has its width.
 */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (cell: string, column: number) => string = (cell) => cell,
): string {
  if (rows.length === 0) return '(none)';
  const widths = heading.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const lineOf = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd();
  const painted = (cells: readonly string[]) =>
    cells
      .map((cell, i) => paint(i === cells.length - 1 ? cell : cell.padEnd(widths[i]!), i))
      .join('  ')
      .trimEnd();
  return [lineOf(heading), lineOf(widths.map((width) => '─'.repeat(width))), ...rows.map(painted)].join('\n');
}

/** Names and values, one a line. */
export function list(entries: readonly (readonly [string, unknown])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${plain(value)}`).join('\n');
}

/** A value as it would be typed. */
export function plain(value: unknown): string {
  if (value === true) return 'on';
  if (value === false) return 'off';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(plain).join(',');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, inner]) => `${key}:${plain(inner)}`)
      .join(',');
  }
  return String(value);
}
