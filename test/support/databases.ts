import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import pg from 'pg';

export type DatabaseKind = 'sqlite' | 'postgres';

/** A database of its own, empty, and the environment that points Ostiary at it. */
export interface TestDatabase {
  readonly kind: DatabaseKind;
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

const TEST_MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

export async function createDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ostiary-data-'));
  const removeFolder = () => rmSync(dataDir, { recursive: true, force: true });
  if (kind === 'sqlite') {
    return {
      kind,
      dataDir,
      env: { NODE_ENV: 'test', DATA_DIR: dataDir },
      remove: () => Promise.resolve(removeFolder()),
    };
  }
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(`CREATE DATABASE ${name}`);
  const url = new URL(process.env['TEST_POSTGRES_URL']!);
  url.pathname = `/${name}`;
  return {
    kind,
    dataDir,
    env: { NODE_ENV: 'test', DATA_DIR: dataDir, DATABASE_URL: url.href, MASTER_KEY: TEST_MASTER_KEY },
    remove: async () => {
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
      removeFolder();
    },
  };
}

/** Runs the same tests against SQLite and against PostgreSQL. */
export function describeOnEachDatabase(name: string, tests: (kind: DatabaseKind) => void): void {
  describe.each(['sqlite', 'postgres'] as const)(`${name} on %s`, (kind) => tests(kind));
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: process.env['TEST_POSTGRES_URL'] });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
