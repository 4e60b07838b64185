import type Database from 'better-sqlite3';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { DatabaseConfig } from '../config/config.js';
import { Columns } from './columns.js';
import { migrations } from './migrations/index.js';
import { getTypeParser, PostgresClient } from './postgres-client.js';
import type { RowDefinition } from './row-definition.js';
import { loadSqliteDriver } from './sqlite-driver.js';

/**
 * SQLite: pages in the write-ahead log at which they are copied to the file, while everybody waits. Pages that many
 * transactions touch, the upper ones of every index, are copied once for all of them.
 */
const CHECKPOINT_PAGES = 8000;

/** SQLite: what the writing connection keeps of the file. Its own 2 MB do not hold the indexes of a busy installation. */
const CACHE_KIB = 16_384;

export const MIGRATIONS_TABLE = 'schema_migrations';

/** What a PostgreSQL connection and a pool of them have in common. */
export interface Queryable {
  query(statement: {
    readonly name: string | undefined;
    readonly text: string;
    readonly values: readonly unknown[];
  }): Promise<{ readonly rows: readonly unknown[] }>;
}

/**
 * The two sides of the database. On PostgreSQL they are one pool. On SQLite they are two connections:
 * TypeORM has one connection for each data source, and a read on the writer's would run inside whatever
 * transaction is open there (it would see uncommitted rows).
 */
export class Stores {
  private constructor(
    readonly dialect: DatabaseConfig['kind'],
    readonly writer: DataSource,
    readonly reader: DataSource,
    readonly config: DatabaseConfig,
  ) {}

  static of(config: DatabaseConfig, rows: readonly RowDefinition[]): Stores {
    const columns = new Columns(config.kind);
    const entities = rows.map((row) => row(columns));
    if (config.kind === 'postgres') {
      const pool = new DataSource({ ...postgres(config), entities });
      return new Stores('postgres', pool, pool, config);
    }
    return new Stores(
      'sqlite',
      new DataSource({ ...sqlite(config, writerConnection(config)), entities }),
      new DataSource({ ...sqlite(config), readonly: true, entities }),
      config,
    );
  }

  /** PostgreSQL: the pool, for statements outside of transactions. */
  get pool(): Queryable {
    return (this.writer.driver as unknown as { readonly master: Queryable }).master;
  }

  /** Opens the reading side once the file and its tables are there. */
  async openReader(): Promise<void> {
    if (!this.reader.isInitialized) await this.reader.initialize();
  }

  async close(): Promise<void> {
    for (const side of new Set([this.reader, this.writer])) {
      if (side.isInitialized) await side.destroy();
    }
  }
}

const common = {
  synchronize: false,
  migrationsTableName: MIGRATIONS_TABLE,
  migrations,
  logging: false,
} as const;

function postgres(config: DatabaseConfig): DataSourceOptions {
  return {
    ...common,
    type: 'postgres',
    url: config.location,
    poolSize: config.poolSize,
    connectTimeoutMS: config.waitMilliseconds,
    applicationName: 'ostiary',
    // An idle connection that breaks is replaced by the pool; the statement that needs one says so itself.
    poolErrorHandler: () => undefined,
    extra: {
      keepAlive: true,
      statement_timeout: config.statementMilliseconds,
      // The client's own limit, for a server that has stopped answering; later than the server's, which cleans up.
      query_timeout: config.statementMilliseconds + 1000,
      idle_in_transaction_session_timeout: config.statementMilliseconds,
      types: { getTypeParser },
      Client: PostgresClient,
    },
  };
}

function sqlite(
  config: DatabaseConfig,
  prepareDatabase?: (database: Database.Database) => void,
): DataSourceOptions & { type: 'better-sqlite3' } {
  return {
    ...common,
    type: 'better-sqlite3',
    driver: loadSqliteDriver(),
    database: config.location,
    // No busy wait: it would stop the event loop. `Transactions` retries instead.
    timeout: 0,
    statementCacheSize: 200,
    ...(prepareDatabase && { prepareDatabase }),
  };
}

function writerConnection(config: DatabaseConfig) {
  return (database: Database.Database): void => {
    try {
      database.pragma('journal_mode = WAL');
    } catch (error) {
      // Locked, most likely, and opened again soon; nobody else would close this one.
      database.close();
      throw error;
    }
    database.pragma(`synchronous = ${config.sqliteSynchronous}`);
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.pragma(`cache_size = -${CACHE_KIB}`);
    beginImmediately(database);
  };
}

/**
 * A deferred transaction takes the write lock at its first write and then fails with SQLITE_BUSY_SNAPSHOT if
 * another process wrote meanwhile. Taking it at BEGIN leaves one place that can be busy, before any work is done.
 */
function beginImmediately(database: Database.Database): void {
  const prepare = database.prepare.bind(database);
  database.prepare = (sql: string) => prepare(sql === 'BEGIN TRANSACTION' ? 'BEGIN IMMEDIATE' : sql);
}
