import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../../test/support/databases.js';
import { loadConfig } from '../config/config.loader.js';
import { rows } from '../rows.js';
import { migrate, NewerSchemaError } from './migrator.js';
import { migrations } from './migrations/index.js';
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
    for (const table of ['applications', 'users', 'sessions', 'throttle_counters', 'installation']) {
      expect(await runner.hasTable(table)).toBe(false);
    }
    await runner.release();
  });

  it('refuses a database that a newer version has upgraded, and leaves it alone', async () => {
    const stores = open();
    await migrate(stores);
    await stores.writer.query(
      `INSERT INTO schema_migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`,
    );
    await expect(migrate(open())).rejects.toThrow(NewerSchemaError);
    await expect(migrate(open())).rejects.toThrow(/newer version.*Later9999999999999/);
  });
});
