import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Database from 'better-sqlite3';
import { loadSqliteDriver } from '../../../src/persistence/sqlite-driver.js';
import pg from 'pg';
import { startPostgres } from '../../support/postgres-server.js';
import type { Resources } from './resources.js';

type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;

/** A database of its own, and the environment in which Ostiary uses it. Statements here go past Ostiary. */
export interface BenchDatabase {
  readonly kind: 'SQLite' | 'PostgreSQL';
  readonly env: NodeJS.ProcessEnv;
  insert(table: string, rows: readonly Row[]): Promise<void>;
  /** @param sql of ours, the same on both databases. */
  query<Found>(sql: string): Promise<Found[]>;
  /** Leaves the files as a database in long use has them: nothing half-done from the bulk work before. */
  settle(): Promise<void>;
}

/** Settings of the bench itself; others of the environment (`OSTIARY_…`) reach the server, so that they can be tried. */
const OWN_SETTINGS = {
  NODE_ENV: 'production',
  LOG_LEVEL: 'warn',
  HOST: '127.0.0.1',
  WORKERS: '',
  PUBLIC_URL: '',
  TRUSTED_PROXIES: '',
  DATABASE_URL: '',
  DATABASE_URL_FILE: '',
  MASTER_KEY: '',
  MASTER_KEY_FILE: '',
};

const ROWS_AT_ONCE = 5000;

export function createSqlite(resources: Resources): BenchDatabase {
  const folder = dataFolder(resources);
  const withFile = <T>(work: (file: Database.Database) => T): Promise<T> => {
    const file = new (loadSqliteDriver())(join(folder, 'ostiary.db'));
    try {
      return Promise.resolve(work(file));
    } finally {
      file.close();
    }
  };
  return {
    kind: 'SQLite',
    env: { ...process.env, ...OWN_SETTINGS, DATA_DIR: folder },
    insert: async (table, rows) => {
      const columns = Object.keys(rows[0]!);
      const values = columns.map(() => '?').join(', ');
      const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values})`;
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        await withFile((file) => {
          const statement = file.prepare(sql);
          file.transaction(() => {
            for (const row of rows.slice(from, from + ROWS_AT_ONCE))
              statement.run(columns.map((column) => forSqlite(row[column]!)));
          })();
        });
        // Where a signal to stop is heard.
        await nextTurn();
      }
    },
    query: <Found>(sql: string) =>
      withFile((file) => {
        const statement = file.prepare<unknown[], Found>(sql);
        if (statement.reader) return statement.all();
        statement.run();
        return [];
      }),
    settle: () =>
      withFile((file) => {
        file.exec('ANALYZE');
        file.pragma('wal_checkpoint(TRUNCATE)');
      }),
  };
}

/** A PostgreSQL of its own, with fsync on, and an empty database on it. */
export async function createPostgres(resources: Resources): Promise<BenchDatabase> {
  const server = await startPostgres({ fsync: true });
  resources.defer(() => server.remove());
  const folder = dataFolder(resources);
  const withClient = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: server.url('postgres') });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  return {
    kind: 'PostgreSQL',
    env: {
      ...process.env,
      ...OWN_SETTINGS,
      DATA_DIR: folder,
      DATABASE_URL: server.url('postgres'),
      MASTER_KEY: randomBytes(32).toString('base64'),
    },
    insert: (table, rows) =>
      withClient(async (client) => {
        const columns = Object.keys(rows[0]!).join(', ');
        const statement = `INSERT INTO ${table} (${columns})
          SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`;
        for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
          await client.query(statement, [JSON.stringify(rows.slice(from, from + ROWS_AT_ONCE))]);
        }
      }),
    query: <Found>(sql: string) =>
      withClient(async (client) => (await client.query<Found & pg.QueryResultRow>(sql)).rows as Found[]),
    settle: () =>
      withClient(async (client) => {
        await client.query('VACUUM ANALYZE');
        await client.query('CHECKPOINT');
      }),
  };
}

function dataFolder(resources: Resources): string {
  const folder = mkdtempSync(join(tmpdir(), 'ostiary-bench-'));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function forSqlite(value: Value): string | number | null {
  return typeof value === 'boolean' ? Number(value) : value;
}
