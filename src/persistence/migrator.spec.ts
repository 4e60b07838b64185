import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../../test/support/databases.js';
import { loadConfig } from '../config/config.loader.js';
import { rows } from '../rows.js';
import { migrate, NewerSchemaError } from './migrator.js';
import { migrations } from './migrations/index.js';
import { loadSqliteDriver } from './sqlite-driver.js';
import { Stores } from './stores.js';

describeOnEachDatabase('migrate', (kind) => {
  let database: TestDatabase;
  const opened: Stores[] = [];

  const open = () => {
    const stores = Stores.of(loadConfig({ ...database.env }).database, rows);
    opened.push(stores);
    return stores;
  };
  /** What TypeORM would still change to make the database fit the entities. */
  const differences = async (stores: Stores) => {
    const { upQueries } = await stores.writer.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query).filter((query) => !query.includes('typeorm_metadata'));
  };

  beforeEach(async () => {
    database = await createDatabase(kind);
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((stores) => stores.close()));
    await database.remove();
  });

  it('makes the schema that the entities describe', async () => {
    const stores = open();
    expect(await migrate(stores)).toEqual(migrations.map((migration) => new migration().name));
    expect(await differences(stores)).toEqual([]);
  });

  it('would show a column that no migration makes', async () => {
    const stores = open();
    await migrate(stores);
    await stores.writer.query('ALTER TABLE users DROP COLUMN country');
    expect((await differences(stores)).join()).toContain('country');
  });

  it('has nothing to do the second time', async () => {
    await migrate(open());
    expect(await migrate(open())).toEqual([]);
  });

  it('lets processes that start at once all start, and migrates once', async () => {
    const applied = await Promise.all([open(), open(), open(), open()].map(migrate));
    expect(applied.flat()).toHaveLength(migrations.length);
  });

  it('goes back to nothing', async () => {
    const stores = open();
    await migrate(stores);
    for (const _ of migrations) await stores.writer.undoLastMigration();
    const runner = stores.writer.createQueryRunner();
    for (const { tableName: table } of stores.writer.entityMetadatas) {
      expect(await runner.hasTable(table)).toBe(false);
    }
    await runner.release();
  });

  it('refuses a database that a newer version has upgraded, and leaves it alone', async () => {
    const stores = open();
    await migrate(stores);
    await stores.writer.query(
      `INSERT INTO schema_migrations (timestamp, name) VALUES (9999999999999, 'ContractLater9999999999999')`,
    );
    await expect(migrate(open())).rejects.toThrow(NewerSchemaError);
    await expect(migrate(open())).rejects.toThrow(/newer version.*ContractLater9999999999999/);
  });

  it('starts on a database to which a newer version has only added', async () => {
    const stores = open();
    await migrate(stores);
    await stores.writer.query(
      `INSERT INTO schema_migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`,
    );
    expect(await migrate(open())).toEqual([]);
  });

  it.each(
    migrations
      .filter(({ name }) => !name.startsWith('Contract'))
      .map((migration) => [migration.name, migration]),
  )('%s takes nothing from the version before it, and asks nothing of it', async (_, migration) => {
    const stores = open();
    await stores.writer.initialize();
    const runner = stores.writer.createQueryRunner();
    const schema = async () => new Map((await runner.getTables()).map((table) => [table.name, table]));
    const before = migrations.slice(0, migrations.indexOf(migration as (typeof migrations)[0]));
    for (const earlier of before) await new earlier().up(runner);
    const old = await schema();
    await new (migration as (typeof migrations)[0])().up(runner);
    const fresh = await schema();
    await runner.release();
    for (const [name, table] of old) {
      const next = fresh.get(name);
      const columns = new Map(next?.columns.map((column) => [column.name, column]));
      for (const { name: column, type, isNullable } of table.columns) {
        expect({ name, column, ...pick(columns.get(column)) }).toEqual({ name, column, type, isNullable });
        columns.delete(column);
      }
      for (const { name: column, isNullable, default: value } of columns.values()) {
        expect([name, column, isNullable || value !== undefined]).toEqual([name, column, true]);
      }
      const rules = (of = table) => [
        ...of.uniques.map((unique) => unique.name),
        ...of.checks.map((check) => check.name),
        ...of.foreignKeys.map((key) => key.name),
        ...of.indices.filter(({ isUnique }) => isUnique).map((index) => index.name),
      ];
      expect(rules(next).filter((rule) => !rules().includes(rule))).toEqual([]);
    }
  });
});

describe('migrate on a file that another process holds for itself', () => {
  it('waits for it, as after a crash while the other one reads the log back', async () => {
    const database = await createDatabase('sqlite');
    const config = loadConfig({ ...database.env }).database;
    const stores = Stores.of(config, rows);
    const Sqlite = loadSqliteDriver();
    const other = new Sqlite(config.location);
    other.pragma('journal_mode = WAL');
    other.pragma('locking_mode = EXCLUSIVE');
    other.exec('BEGIN IMMEDIATE');
    const initialize = stores.writer.initialize.bind(stores.writer);
    const tries: unknown[] = [];
    const spy = jest.spyOn(stores.writer, 'initialize').mockImplementation(async () => {
      if (tries.length === 2) other.close();
      try {
        return await initialize();
      } catch (error) {
        tries.push((error as { code: unknown }).code);
        throw error;
      }
    });
    expect(await migrate(stores)).toHaveLength(migrations.length);
    expect(tries).toEqual(['SQLITE_BUSY', 'SQLITE_BUSY']);
    expect(spy).toHaveBeenCalledTimes(3);
    await stores.close();
    await database.remove();
  });
});

function pick(column: { type: string; isNullable: boolean } | undefined) {
  return column && { type: column.type, isNullable: column.isNullable };
}
