import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './server-process.js';

const FIXTURES = join(REPOSITORY, 'test', 'fixtures', 'previous-version');

/**
 * Unpacks the build of the version before this one, where it finds the installed packages.
 *
 * @returns the folder to run it in.
 */
export function unpackPreviousVersion(): string {
  const archive = readdirSync(FIXTURES).find((name) => name.endsWith('.tar.gz'))!;
  const folder = join(REPOSITORY, 'node_modules', '.cache', `ostiary-${archive.replace('.tar.gz', '')}`);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['xzf', join(FIXTURES, archive), '-C', folder]);
  return folder;
}
