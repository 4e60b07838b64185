import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as rest } from 'node:timers/promises';

const READY_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 10_000;
const LOOK_EVERY_MILLISECONDS = 20;
const LOG_CHARACTERS = 20_000;

export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Loopback ports that accept connections once it is ready. */
  readonly ports: readonly number[];
}

/** Somebody else's server, as a child of the test. */
export class ServerChild {
  private text = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly command: string,
  ) {
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on(
        'data',
        (chunk: Buffer) => (this.text = (this.text + chunk.toString()).slice(-LOG_CHARACTERS)),
      );
    }
  }

  /** Resolves when all its ports accept. @throws with what it said when it stops instead, or takes too long. */
  static async start({ command, args, env = {}, folder, ports }: Start): Promise<ServerChild> {
    const { PATH = '' } = process.env;
    const child = spawn(command, args, {
      cwd: folder,
      env: { PATH: `${PATH}:/usr/sbin:/sbin`, HOME: folder, LANG: 'C.UTF-8', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerChild(child, command);
    const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error));
    try {
      await Promise.race([server.accepting(ports), failed]);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** The end of what it has written so far, for whoever has to find out what went wrong. */
  get log(): string {
    return this.text;
  }

  get pid(): number {
    return this.child.pid!;
  }

  private get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /**
   * SIGTERM, and SIGKILL for what does not go by itself.
   *
   * @param pid of the server, where the child is a shell that waits for it.
   */
  async stop(pid?: number): Promise<void> {
    if (this.isGone) return;
    const exited = once(this.child, 'exit');
    const send = (signal: NodeJS.Signals) =>
      pid === undefined ? this.child.kill(signal) : process.kill(pid, signal);
    send('SIGTERM');
    const kill = setTimeout(() => send('SIGKILL'), STOP_MILLISECONDS);
    await exited;
    clearTimeout(kill);
  }

  private async accepting(ports: readonly number[]): Promise<void> {
    const latest = Date.now() + READY_MILLISECONDS;
    for (const port of ports) {
      while (!(await accepts(port))) {
        if (this.isGone) throw new Error(`${this.command} stopped:\n${this.text}`);
        if (Date.now() > latest) throw new Error(`${this.command} does not listen on ${port}:\n${this.text}`);
        // Nobody tells when another program is ready.
        await rest(LOOK_EVERY_MILLISECONDS);
      }
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket.destroy() && true));
    socket.once('error', () => resolve(false));
  });
}
