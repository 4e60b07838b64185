import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { newMasterKey } from './key-ring.js';

/**
 * The keys in the file, the current one first, one to a line. Makes the file with a fresh key when there is none;
 * when two processes do so at once, both end with the same key.
 */
export function readOrMakeKeyFile(file: string): string[] {
  try {
    return readKeyFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(dirname(file), { recursive: true });
  const draft = writeDraft(file, [newMasterKey()]);
  try {
    // Unlike a rename, a link does not replace what another process has put there meanwhile.
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return readKeyFile(file);
}

export function readKeyFile(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

/** Replaces the file's keys in one step: a reader sees the old ones or the new ones. */
export function writeKeyFile(file: string, keys: readonly string[]): void {
  renameSync(writeDraft(file, keys), file);
}

function writeDraft(file: string, keys: readonly string[]): string {
  const draft = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  writeFileSync(draft, `${keys.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  return draft;
}
