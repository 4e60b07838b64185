import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';

/** The servers that tests start, by the program of each and the Debian package that brings it. */
const PACKAGES = {
  prosody: 'prosody',
  ejabberdctl: 'ejabberd',
  'rabbitmq-server': 'rabbitmq-server',
  nginx: 'nginx-light',
  turnserver: 'coturn',
} as const;

/** Not on everybody's PATH. */
const SYSTEM_FOLDERS: readonly string[] = ['/usr/sbin', '/sbin'];

export type ChatServerProgram = keyof typeof PACKAGES;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What to do with tests whose server may be missing, and what to say. */
export type Outlook =
  | { readonly do: 'run' }
  | { readonly do: 'leave out'; readonly because: string }
  | { readonly do: 'fail'; readonly because: string };

/** A missing server is a failure under `CI=true`, where nobody would read that tests were left out. */
export function outlookFor(
  program: ChatServerProgram,
  { PATH = '', CI }: Environment,
  beside = SYSTEM_FOLDERS,
): Outlook {
  if ([...PATH.split(':'), ...beside].some((folder) => isExecutable(join(folder, program))))
    return { do: 'run' };
  const because = `${program} is missing. As root: apt-get install --no-install-recommends ${PACKAGES[program]}`;
  return { do: CI === 'true' ? 'fail' : 'leave out', because };
}

/** A `describe` for tests that need a program of the system's. Where it is missing, that is said on the terminal. */
export function describeWithServer(program: ChatServerProgram, name: string, tests: () => void): void {
  const outlook = outlookFor(program, process.env);
  switch (outlook.do) {
    case 'run':
      describe(name, tests);
      return;
    case 'leave out':
      process.stderr.write(`\nLEFT OUT: ${name}. ${outlook.because}\n`);
      describe.skip(name, tests);
      return;
    case 'fail':
      describe(name, () => {
        it('has its server', () => {
          throw new Error(outlook.because);
        });
      });
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
