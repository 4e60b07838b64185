import { spawn, type ChildProcess } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../support/postgres-server.js';
import type { BenchDatabase } from './bench-database.js';
import { childrenOf, cpuMicroseconds, residentBytes } from './process-usage.js';
import type { Resources } from './resources.js';
import { endProcess, nextMessage } from './worker-process.js';

export const PROJECT = join(import.meta.dirname, '..', '..', '..');
const MAIN = join('dist', 'main.js');
const POLL_MILLISECONDS = 3;
const START_LIMIT_MILLISECONDS = 60_000;
/** A little more than the server allows itself. */
const STOP_GRACE_MILLISECONDS = 15_000;

interface StartOptions {
  /** For Node itself, before the name of the program. */
  readonly nodeArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Opens a channel for a preload given in `nodeArguments`. */
  readonly withChannel?: boolean;
  /** Lets nobody see its log, for load that it has much to say about. */
  readonly unheard?: boolean;
  /** Processes that serve, with a parent above them; none given: one process in all. */
  readonly workers?: number;
}

/** The built server as an operator runs it, in a process of its own, on a free port of the loopback. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    /** From the start of the process to the first 200 of `/health/ready`. */
    readonly startMilliseconds: number,
    /** What it had used by then. */
    readonly startCpuMicroseconds: number,
    private readonly workers: readonly number[],
  ) {}

  static async start(
    database: BenchDatabase,
    resources: Resources,
    { nodeArguments = [], env = {}, withChannel = false, unheard = false, workers }: StartOptions = {},
  ): Promise<ServerProcess> {
    const port = await freePort();
    const startedAt = performance.now();
    const log = unheard ? 'ignore' : 2;
    const child = spawn(process.execPath, [...nodeArguments, MAIN], {
      cwd: PROJECT,
      env: { ...database.env, PORT: String(port), ...env, ...(workers && { WORKERS: String(workers) }) },
      stdio: ['ignore', log, log, ...(withChannel ? (['ipc'] as const) : [])],
    });
    resources.defer(() => endProcess(child, STOP_GRACE_MILLISECONDS));
    while (!(await isReady(port, workers))) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error('The server stopped while it started.');
      if (performance.now() - startedAt > START_LIMIT_MILLISECONDS)
        throw new Error('The server is not ready after a minute.');
      await delay(POLL_MILLISECONDS);
    }
    const startMilliseconds = performance.now() - startedAt;
    const pids = workers === undefined ? [] : childrenOf(child.pid!);
    return new ServerProcess(child, port, startMilliseconds, cpuMicroseconds(child.pid!), pids);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The parent of the workers among them, where there are any. */
  get pids(): number[] {
    return [this.child.pid!, ...this.workers];
  }

  /** Of all its processes. */
  cpuMicroseconds(): number {
    return this.workerCpuMicroseconds().reduce((sum, cpu) => sum + cpu, cpuMicroseconds(this.child.pid!));
  }

  /** Of each of its workers. */
  workerCpuMicroseconds(): number[] {
    return this.workers.map(cpuMicroseconds);
  }

  residentBytes(): number {
    return residentBytes(this.child.pid!);
  }

  /** Asks the preload. */
  async ask<Answer>(question: string): Promise<Answer> {
    const answer = nextMessage<Answer>(this.child, 'The server');
    this.child.send(question);
    return answer;
  }

  /** Waits until no use of a session is waiting to be written. */
  async touchesWritten(): Promise<void> {
    for (;;) {
      const metrics = await (await fetch(`${this.url}/metrics`)).text();
      if (/^ostiary_session_touches_pending 0$/m.test(metrics)) return;
      await delay(50);
    }
  }

  stop(): Promise<void> {
    return endProcess(this.child, STOP_GRACE_MILLISECONDS);
  }
}

/** Of several workers, when all of them serve. */
async function isReady(port: number, workers: number | undefined): Promise<boolean> {
  if (!(await answersReady(port))) return false;
  if (workers === undefined) return true;
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return new RegExp(`^ostiary_workers ${workers}$`, 'm').test(metrics);
}

function answersReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/health/ready', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}
