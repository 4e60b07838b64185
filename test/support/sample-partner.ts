import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from './server-process.js';

/** `npm run example:partner`, in a process of its own. */
export class SamplePartner {
  private text = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
  }

  static async start(): Promise<SamplePartner> {
    const partner = new SamplePartner(runSamplePartner({ PORT: '0' }));
    while (!partner.text.includes('Ctrl-C')) await once(partner.child.stdout!, 'data');
    return partner;
  }

  get output(): string {
    return this.text;
  }

  get url(): string {
    return /http:\/\/127\.0\.0\.1:\d+/.exec(this.text)![0];
  }

  /** @returns the exit status and the signal that ended it, if one did. */
  stop(): Promise<unknown[]> {
    const closed = once(this.child, 'close');
    this.child.kill('SIGTERM');
    return closed;
  }
}

/** What the script of package.json runs. */
export function runSamplePartner(env: Readonly<Record<string, string>>): ChildProcess {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, file] = /^node (\S+)$/.exec(scripts['example:partner']!)!;
  return spawn(process.execPath, [file!], {
    cwd: REPOSITORY,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
