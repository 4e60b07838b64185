import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from '../server-process.js';
import type { TestAuthority } from '../tls/certificates.js';

const EXAMPLES = join(REPOSITORY, 'examples', 'chat');

/** The name that certificates are for and clients connect to; the only one that every machine resolves to itself. */
export const CHAT_DOMAIN = 'localhost';

type Values = Readonly<Record<string, string>>;

/** A folder in which a server runs from one of the shipped examples. */
export class ExampleFolder {
  private constructor(
    private readonly name: string,
    readonly path: string,
  ) {}

  /** @param name of the example. @param authority that vouches for the server. */
  static make(name: string, authority: TestAuthority): ExampleFolder {
    const path = mkdtempSync(join(tmpdir(), `ostiary-${name}-`));
    // Servers that run as a user of their own reach what is theirs.
    chmodSync(path, 0o755);
    const folder = new ExampleFolder(name, path);
    const { certificate, key } = authority.issue({
      name: CHAT_DOMAIN,
      hosts: [CHAT_DOMAIN, `muc.${CHAT_DOMAIN}`, '127.0.0.1'],
    });
    folder.write('server.crt', certificate);
    folder.write('server.key', key);
    folder.write('server.pem', key + certificate);
    return folder;
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  write(name: string, content: string): string {
    writeFileSync(this.at(name), content);
    return this.at(name);
  }

  makeFolder(...names: string[]): string {
    mkdirSync(this.at(...names), { recursive: true });
    return this.at(...names);
  }

  /** Copies a file or folder of the example, as it stands. @returns where it is now. */
  copy(name: string): string {
    cpSync(join(EXAMPLES, this.name, name), this.at(name), { recursive: true });
    return this.at(name);
  }

  /** Fills `<name>.template` in, as the example's README says. @returns where the outcome is. */
  fill(name: string, values: Values): string {
    const template = join(EXAMPLES, this.name, `${name}.template`);
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(EXAMPLES, 'fill.js'), template], {
      env: values,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${name}: ${stderr}`);
    return this.write(name, stdout);
  }

  /** Everything in it becomes this user's. */
  giveTo(user: string): void {
    spawnSync('chown', ['-R', `${user}:`, this.path]);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Below those that systems give to connections going out (Linux: 32768 and above), one of which could take a port first. */
const PORTS = { first: 20_000, end: 32_000 };

/** Ports of the loopback that are free, each once. */
export async function freePorts<N extends string>(...names: readonly N[]): Promise<Record<N, number>> {
  const probes: Server[] = [];
  const ports = {} as Record<N, number>;
  for (const name of names) {
    const probe = await listening();
    probes.push(probe);
    ports[name] = (probe.address() as AddressInfo).port;
  }
  // All are held until the last is found, or two names would get one port.
  await Promise.all(probes.map((probe) => new Promise<void>((closed) => probe.close(() => closed()))));
  return ports;
}

async function listening(): Promise<Server> {
  for (;;) {
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(randomInt(PORTS.first, PORTS.end), '127.0.0.1', () => resolve(true));
    });
    if (isFree) return server;
  }
}
