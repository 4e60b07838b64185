import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';

/** The driver's constructor, as TypeORM's `driver` option takes it. */
export type SqliteDriver = typeof Database;

/** The driver for this version of Node is not installed. */
export class SqliteDriverMissingError extends Error {
  override readonly name = 'SqliteDriverMissingError';
  constructor(cause: unknown) {
    super(
      'SQLite cannot be used: its driver was not built when Ostiary was installed. On Node 20 it is compiled: install a C++ compiler, make and python3 and run npm ci again; or use Node 22 or 24, which need none; or set DATABASE_URL to a PostgreSQL.',
      { cause },
    );
  }
}

/** From this version of Node on, better-sqlite3 13 runs. */
const FIRST_NODE_OF_13 = 22;

/**
 * The SQLite driver that this Node can run. No one version runs on all of them: better-sqlite3 13 crashes on Node 20,
 * and 12 aborts the process on Node 24.19 and later when a statement is garbage-collected
 * (`RemoveEnvironmentCleanupHook`, `env != nullptr`).
 *
 * @throws SqliteDriverMissingError
 */
export function loadSqliteDriver(nodeVersion = process.versions.node): SqliteDriver {
  const major = Number(nodeVersion.split('.')[0]);
  const require = createRequire(import.meta.url);
  try {
    const driver: unknown =
      major >= FIRST_NODE_OF_13 ? require('better-sqlite3-13') : require('better-sqlite3');
    return driver as SqliteDriver;
  } catch (error) {
    throw new SqliteDriverMissingError(error);
  }
}
