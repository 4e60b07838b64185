import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '..', '..');

type Environment = Readonly<Record<string, string>>;

/** Of this process only what any process needs: its NODE_ENV and options are those of a test. */
function surroundings(env: Environment): Environment {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, ...env };
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An entry of the log. */
export interface LogLine {
  readonly pid: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The built server as an operator runs it, in a process of its own, on a free port of the loopback. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly texts: { readonly stdout: string },
    private readonly finished: Promise<Finished>,
  ) {}

  /**
   * Resolves once it says where it listens. @throws when it stops instead, with what it said.
   *
   * @param leadsGroup whether it gets a process group of its own, as in a terminal. @param folder of another build.
   */
  static async start(
    env: Environment,
    { leadsGroup = false, folder = REPOSITORY } = {},
  ): Promise<ServerProcess> {
    const settings = { LOG_LEVEL: 'info', PORT: '0', ...env };
    const options = { detached: leadsGroup, cwd: folder };
    const { child, texts, finished } = run(process.execPath, ['dist/main.js'], settings, options);
    const url = await Promise.race([listeningUrl(child), finished]);
    if (typeof url === 'string') return new ServerProcess(child, url, texts, finished);
    throw new Error(`The server stopped with ${url.code}:\n${url.stdout}${url.stderr}`);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** What it has logged so far. */
  get log(): readonly LogLine[] {
    const lines = this.texts.stdout.split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as LogLine);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends a signal. @returns how the process ended, once nobody holds its output any more: workers are gone too. */
  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }

  /** Sends a signal to it and to every process that it has started, as Ctrl-C does; it has to lead a group. */
  endGroup(signal: NodeJS.Signals): Promise<Finished> {
    process.kill(-this.pid, signal);
    return this.finished;
  }
}

/** Runs the server that is expected to stop by itself. */
export function runServer(env: Environment, wrap: readonly string[] = []): Promise<Finished> {
  const [command, ...rest] = [...wrap, process.execPath, 'dist/main.js'];
  return run(command, rest, { PORT: '0', ...env }).finished;
}

/** Runs a command of the command line. */
export function ostiary(env: Environment, ...args: string[]): Promise<Finished> {
  return run(process.execPath, ['dist/cli.js', ...args], env).finished;
}

/** Runs a command with `--json`. @returns the document. @throws when it fails or prints anything beside it. */
export async function ostiaryJson<T>(env: Environment, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await ostiary(env, ...args, '--json');
  if (code !== 0) throw new Error(`ostiary ${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

function run(command: string, args: readonly string[], env: Environment, more: SpawnOptions = {}) {
  const options: SpawnOptions = {
    cwd: REPOSITORY,
    ...more,
    env: surroundings(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  const child = spawn(command, args, options);
  const texts = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  return { child, texts, finished };
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const url = /"url":"([^"]+)".*"msg":"listening"/.exec(text)?.[1];
      if (url) resolve(url);
    });
  });
}
