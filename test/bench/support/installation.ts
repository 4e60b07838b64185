import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchDatabase } from './bench-database.js';
import type { Resources } from './resources.js';
import { PROJECT } from './server-process.js';
import { endProcess } from './worker-process.js';

const run = promisify(execFile);
const END_GRACE_MILLISECONDS = 2000;

export interface BenchApplication {
  readonly id: number;
  /** The `Authorization` of its backend. */
  readonly basic: string;
}

interface ConfigDocument {
  readonly passwords: {
    readonly memoryKib: number;
    readonly iterations: number;
    readonly parallelism: number;
    readonly poolSize: number;
    readonly queueLimit: number;
  };
  readonly sessions: { readonly cacheEntries: number; readonly touchFlushMilliseconds: number };
  readonly database: { readonly sqliteSynchronous: string; readonly poolSize: number };
}

/** Makes an application, and the database's tables if it is the first. */
export async function createApplication(
  database: BenchDatabase,
  resources: Resources,
): Promise<BenchApplication> {
  const { application_id, auth_key, auth_secret } = await cli<{
    application_id: number;
    auth_key: string;
    auth_secret: string;
  }>(database, resources, ['apps', 'create', '--name', 'Bench']);
  const basic = `Basic ${Buffer.from(`${auth_key}:${auth_secret}`).toString('base64')}`;
  return { id: application_id, basic };
}

/** Makes a chat client of the application. */
export async function createChatClient(
  database: BenchDatabase,
  resources: Resources,
  applicationId: number,
): Promise<{ readonly secret: string }> {
  const words = ['chat-clients', 'create', '--name', 'Bench', '--app', String(applicationId)];
  return cli<{ secret: string }>(database, resources, words);
}

/** Changes settings of an application, each as `key=value`. */
export async function setSettings(
  database: BenchDatabase,
  resources: Resources,
  applicationId: number,
  settings: readonly string[],
): Promise<void> {
  await cli(database, resources, ['apps', 'set', '--app', String(applicationId), ...settings]);
}

/** Adds an identity provider. */
export async function createProvider(
  database: BenchDatabase,
  resources: Resources,
  applicationId: number,
  definition: { readonly slug: string; readonly [more: string]: unknown },
): Promise<void> {
  const file = join(database.env['DATA_DIR']!, `provider-${definition.slug}.json`);
  writeFileSync(file, JSON.stringify(definition));
  const words = ['providers', 'create', '--app', String(applicationId), '--file', file];
  await cli(database, resources, words, { OUTBOUND_ALLOW: '127.0.0.1' });
}

/** The settings that the server will run with. */
export function configInForce(database: BenchDatabase, resources: Resources): Promise<ConfigDocument> {
  return cli<ConfigDocument>(database, resources, ['config', 'check']);
}

async function cli<Answer>(
  database: BenchDatabase,
  resources: Resources,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const program = [join('dist', 'cli.js'), ...words, '--json'];
  const running = run(process.execPath, program, { cwd: PROJECT, env: { ...database.env, ...env } });
  resources.defer(() => endProcess(running.child, END_GRACE_MILLISECONDS));
  return JSON.parse((await running).stdout) as Answer;
}
