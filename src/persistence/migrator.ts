import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import { isLocked } from './store-errors.js';
import { MIGRATIONS_TABLE, type Stores } from './stores.js';

/**
 * Migrations come in two kinds. One that only adds what the version before it does not miss (tables, triggers, columns
 * that may be empty) leaves that version serving beside the new one, and able to start again. One that takes away or
 * changes is named with this word, comes a version after the last reader is gone, and is refused by those who do not
 * know it. A test holds all others to adding.
 */
const CONTRACTING = 'Contract';

/** The database was changed by a later version in a way that this one may misread. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';
  constructor(readonly migration: string) {
    super(
      `The database has been upgraded by a newer version of Ostiary (it has "${migration}"). Run that version, or restore the backup made before the upgrade.`,
    );
  }
}

/** Any number; the same in every process of every version. */
const POSTGRES_LOCK = 7_203_114;

/** Written at each start, to learn whether the file can be; its value means nothing. */
const SQLITE_USER_VERSION = 1;

/** How long a process waits for another one that holds the file. */
const LOCK_WAIT_MILLISECONDS = 60_000;

/**
 * Brings the schema up to this version. Safe when several processes start at once: one migrates, the others wait
 * and find nothing left to do.
 *
 * @returns the names of the migrations that this call applied.
 * @throws NewerSchemaError when a later version has changed what this one reads.
 */
export async function migrate(stores: Stores): Promise<string[]> {
  if (!stores.writer.isInitialized) await whenUnlocked(() => stores.writer.initialize());
  const runner = stores.writer.createQueryRunner();
  try {
    return stores.dialect === 'postgres' ? await migratePostgres(runner) : await migrateSqlite(runner);
  } finally {
    await runner.release();
  }
}

async function migratePostgres(runner: QueryRunner): Promise<string[]> {
  await runner.query('SET statement_timeout = 0');
  await runner.query(`SELECT pg_advisory_lock(${POSTGRES_LOCK})`);
  try {
    await refuseNewerSchema(runner);
    return await apply(runner.dataSource, 'all');
  } finally {
    await runner.query(`SELECT pg_advisory_unlock(${POSTGRES_LOCK})`);
    await runner.query('RESET statement_timeout');
  }
}

/** SQLite's write lock is the lock: everything runs in one transaction that is taken before looking. */
async function migrateSqlite(runner: QueryRunner): Promise<string[]> {
  // Rebuilding a table drops the old one, which with foreign keys on would delete what refers to it.
  await runner.query('PRAGMA foreign_keys = OFF');
  await whenUnlocked(() => runner.startTransaction());
  try {
    await refuseNewerSchema(runner);
    const applied = await apply(runner.dataSource, 'none');
    // SQLite opens a file that it may not write all the same, and only says so at the first write.
    await runner.query(`PRAGMA user_version = ${SQLITE_USER_VERSION}`);
    await runner.commitTransaction();
    return applied;
  } catch (error) {
    await runner.rollbackTransaction();
    throw error;
  } finally {
    await runner.query('PRAGMA foreign_keys = ON');
  }
}

/**
 * SQLite refuses while another process holds the file: one that migrates, one that starts first after a crash and reads
 * the write-ahead log back, one that is the last to close.
 */
async function whenUnlocked<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LOCK_WAIT_MILLISECONDS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLocked(error) || performance.now() > deadline) throw error;
      await delay(10 + Math.random() * 40);
    }
  }
}

async function apply(dataSource: DataSource, transaction: 'all' | 'none'): Promise<string[]> {
  const applied = await dataSource.runMigrations({ transaction });
  return applied.map((migration) => migration.name);
}

async function refuseNewerSchema(runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable(MIGRATIONS_TABLE))) return;
  const known = new Set(runner.dataSource.migrations.map((migration) => migration.name));
  const rows = (await runner.query(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY id`)) as { name: string }[];
  const unknown = rows.find(({ name }) => !known.has(name) && name.startsWith(CONTRACTING));
  if (unknown) throw new NewerSchemaError(unknown.name);
}
