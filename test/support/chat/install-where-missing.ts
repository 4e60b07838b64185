import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GlobalConfig } from 'jest';

const REPOSITORY = join(import.meta.dirname, '..', '..', '..');
const INSTALL_MILLISECONDS = 600_000;

/**
 * Has the chat servers installed that the tests of this run start, where this machine lets us (`.ci/chat-servers`). Where it
 * does not, that is said in one line, and those tests leave themselves out. Done once, before there are workers: apt takes
 * no two at a time.
 */
export function installChatServersWhereMissing({ rootDir, testPathPatterns }: GlobalConfig): void {
  const run = testPathPatterns.toExecutor({ rootDir });
  if (!testsOfServers().some((file) => run.isMatch(file))) return;
  const { status } = spawnSync(join(REPOSITORY, '.ci', 'chat-servers'), {
    timeout: INSTALL_MILLISECONDS,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0 && process.env['CI'] === 'true')
    throw new Error('The chat servers could not be installed.');
}

function testsOfServers(): string[] {
  const folder = join(REPOSITORY, 'test', 'e2e');
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => readFileSync(file, 'utf8').includes('describeWithServer('));
}
