import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../support/postgres-server.js';
import { REPOSITORY } from './readme.js';

export const BUILD_MILLISECONDS = 180_000;
export const START_MILLISECONDS = 20_000;

/** `npm start` without npm: the built server in a process of its own, on a free port. */
export class BuiltServer {
  private readonly exit: Promise<number | null>;

  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
    readonly environment: Record<string, string>,
  ) {
    this.exit = new Promise((resolve) => process.once('exit', resolve));
  }

  static async start(dataDir: string): Promise<BuiltServer> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    // Of this process only what a shell needs: its NODE_ENV would make the server another one than the README's.
    const { PATH = '', HOME = '' } = process.env;
    const environment = { PATH, HOME, DATA_DIR: dataDir, BASE: url };
    const child = spawn(process.execPath, ['dist/main.js'], {
      cwd: REPOSITORY,
      env: { ...environment, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    }
    const server = new BuiltServer(child, url, environment);
    const deadline = Date.now() + START_MILLISECONDS;
    while (!(await server.isReady())) {
      if (child.exitCode !== null || Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`The server did not start:\n${said.join('')}`);
      }
      await delay(50);
    }
    return server;
  }

  /** @returns the exit code. */
  stop(): Promise<number | null> {
    this.process.kill('SIGTERM');
    return this.exit;
  }

  private async isReady(): Promise<boolean> {
    return fetch(`${this.url}/health/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
  }
}

/** Other tests run from `dist/` too, so it is written anew only when the sources are younger. */
export function buildWhereStale(): void {
  const built = join(REPOSITORY, 'dist', 'main.js');
  const sources = readdirSync(join(REPOSITORY, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
    .map((file) => statSync(join(REPOSITORY, 'src', file)).mtimeMs);
  if (existsSync(built) && statSync(built).mtimeMs >= Math.max(...sources)) return;
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
    timeout: BUILD_MILLISECONDS,
  });
  if (status !== 0) throw new Error(`npm run build failed:\n${stdout}${stderr}`);
}
