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

/** The built server as an operator runs it, in a process of its own, on a free port of the loopback. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    private readonly finished: Promise<Finished>,
  ) {}

  /**
   * Resolves once it says where it listens.
   *
   * @param folder of another build. @throws when it stops instead, with what it said.
   */
  static async start(
    env: Environment,
    wrap: readonly string[] = [],
    folder = REPOSITORY,
  ): Promise<ServerProcess> {
    const [command, ...rest] = [...wrap, process.execPath, 'dist/main.js'];
    const { child, finished } = run(command, rest, { LOG_LEVEL: 'info', PORT: '0', ...env }, folder);
    const url = await Promise.race([listeningUrl(child), finished]);
    if (typeof url === 'string') return new ServerProcess(child, url, finished);
    throw new Error(`The server stopped with ${url.code}:\n${url.stdout}${url.stderr}`);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Sends a signal. @returns how the process ended. */
  end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
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

function run(command: string, args: readonly string[], env: Environment, cwd = REPOSITORY) {
  const options: SpawnOptions = {
    cwd,
    env: surroundings(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  const child = spawn(command, args, options);
  const texts = { stdout: '', stderr: '' };
  child.stdout!.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, ...texts }));
  return { child, finished };
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
