import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/*
 * Keeps the load generator, which spins, and what it measures off each other's processors. Where more processes want to
 * run than there are processors, each of them is charged for what the others push out of the caches.
 */

const COUNT = availableParallelism();
const canPin = COUNT > 1 && hasTaskset();

/** What is told of it beside the figures. */
export const PROCESSORS_IN_WORDS = canPin
  ? `the generator has processor 0 to itself, the servers share ${COUNT === 2 ? 'processor 1' : `1 to ${COUNT - 1}`}`
  : 'generator and servers share all (taskset is not there)';

/** Puts a server's processes, with all their threads, on every processor but the first. */
export function pinServer(pids: readonly number[]): void {
  pin(pids, COUNT === 2 ? '1' : `1-${COUNT - 1}`);
}

/** Puts the generator on the first processor. */
export function pinGenerator(pid: number): void {
  pin([pid], '0');
}

function pin(pids: readonly number[], processors: string): void {
  if (!canPin) return;
  for (const pid of pids) execFileSync('taskset', ['-acp', processors, String(pid)], { stdio: 'ignore' });
}

function hasTaskset(): boolean {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
