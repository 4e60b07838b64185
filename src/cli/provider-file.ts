import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parse } from 'yaml';
import { UsageError } from './output.js';

/**
 * A definition from a file in YAML, of which JSON is a part, or from standard input (`-`). Numbers that no double holds
 * exactly stay text: ids are long, and one digit more or less is somebody else's.
 *
 * @throws UsageError for what cannot be read or parsed.
 */
export async function readDefinition(path: string): Promise<unknown> {
  const source = await (path === '-' ? text(process.stdin) : readFile(path, 'utf8')).catch(() => {
    throw new UsageError(`${path} cannot be read.`);
  });
  try {
    return exact(parse(source, { intAsBigInt: true }));
  } catch (error) {
    const at = /at line \d+, column \d+/.exec((error as Error).message)?.[0];
    throw new UsageError(`${path} is not YAML or JSON${at ? ` (${at})` : ''}.`);
  }
}

function exact(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, exact(inner)]));
}
