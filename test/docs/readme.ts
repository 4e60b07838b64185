import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { REPOSITORY } from '../support/server-process.js';

/** The text under a `## heading` of the README, up to the next one. */
export function readmeSection(heading: string): string {
  const sections = readFileSync(join(REPOSITORY, 'README.md'), 'utf8').split(/^## /m);
  const section = sections.find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`README.md has no section "## ${heading}" any more.`);
  return section;
}

/** The fenced blocks of one language, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, of]) => of === language)
    .map(([, , code]) => code!);
}

/** The rows of the table whose heading begins with these columns. */
export function tableRows(markdown: string, ...columns: string[]): string[][] {
  const lines = markdown.split('\n');
  const at = lines.findIndex(
    (line) => cellsOf(line).slice(0, columns.length).join('|') === columns.join('|'),
  );
  if (at < 0) throw new Error(`README.md has no table with the columns ${columns.join(', ')} any more.`);
  const rest = lines.slice(at + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end < 0 ? rest.length : end).map(cellsOf);
}

/** What stands in the first backticks of a cell. */
export function quoted(cell: string): string {
  return /`([^`]*)`/.exec(cell)?.[1] ?? '';
}

/**
 * Expects the documented entries to be the real ones.
 *
 * @param what one entry in words, and where its row belongs: the message tells what to do with each.
 */
export function expectSameEntries(
  documented: readonly string[],
  real: readonly string[],
  { what, section }: { what: string; section: string },
): void {
  const advice = [
    ...real
      .filter((entry) => !documented.includes(entry))
      .map((entry) => `Add a row for the ${what} "${entry}" to README.md, section "${section}".`),
    ...documented
      .filter((entry) => !real.includes(entry))
      .map(
        (entry) =>
          `Remove the row "${entry}" from README.md, section "${section}": there is no such ${what}.`,
      ),
    ...documented
      .filter((entry, i) => documented.indexOf(entry) !== i)
      .map((entry) => `Remove one of the rows "${entry}" from README.md, section "${section}".`),
  ];
  expect(advice).toEqual([]);
}

function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return [];
  return line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim());
}
