import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/*
 * What another process has used, seen from outside. Linux tells through /proc; elsewhere `ps` does.
 */

const hasProc = existsSync('/proc/self/stat');
const ticksPerSecond = hasProc ? Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) : 0;

/** Processor time of all its threads so far, in user and kernel mode. */
export function cpuMicroseconds(pid: number): number {
  if (!hasProc) return fromClock(ps(pid, 'time'));
  const [userTicks, systemTicks] = statFields(String(pid)).slice(11, 13);
  return ((Number(userTicks) + Number(systemTicks)) / ticksPerSecond) * 1e6;
}

/** The processes that it has started and that are there now. */
export function childrenOf(pid: number): number[] {
  if (!hasProc) return pairs().flatMap(([child, parent]) => (parent === pid ? [child!] : []));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number);
}

/** Memory of it that is in RAM now. */
export function residentBytes(pid: number): number {
  if (!hasProc) return Number(ps(pid, 'rss')) * 1024;
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!line) throw new Error(`Process ${pid} has no memory any more.`);
  return Number(line[1]) * 1024;
}

/** Null: it has ended since it was listed. */
function parentOf(pid: string): number | null {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return null;
  }
}

/** From the third field on: the second is the program's name in brackets and may hold anything. */
function statFields(pid: string): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function pairs(): number[][] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => line.trim().split(/\s+/).map(Number));
}

function ps(pid: number, column: string): string {
  return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], { encoding: 'utf8' }).trim();
}

/** `[hours:]minutes:seconds` */
function fromClock(clock: string): number {
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1e6;
}
