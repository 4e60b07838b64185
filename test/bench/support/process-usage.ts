import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/*
 * What another process has used, seen from outside. Linux tells through /proc; elsewhere `ps` does.
 */

const hasProc = existsSync('/proc/self/stat');
const ticksPerSecond = hasProc ? Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) : 0;

/** Processor time of all its threads so far, in user and kernel mode. */
export function cpuMicroseconds(pid: number): number {
  if (!hasProc) return fromClock(ps(pid, 'time'));
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is the program's name in brackets and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [userTicks, systemTicks] = [fields[11], fields[12]];
  return ((Number(userTicks) + Number(systemTicks)) / ticksPerSecond) * 1e6;
}

/** Memory of it that is in RAM now. */
export function residentBytes(pid: number): number {
  if (!hasProc) return Number(ps(pid, 'rss')) * 1024;
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!line) throw new Error(`Process ${pid} has no memory any more.`);
  return Number(line[1]) * 1024;
}

function ps(pid: number, column: string): string {
  return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
}

/** `[hours:]minutes:seconds` */
function fromClock(clock: string): number {
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1e6;
}
