import { loadConfig } from '../../src/config/config.loader.js';
import { migrate } from '../../src/persistence/migrator.js';
import { Stores } from '../../src/persistence/stores.js';
import { Transactions } from '../../src/persistence/transactions.js';
import { rows } from '../../src/rows.js';
import { createDatabase, type DatabaseKind, type TestDatabase } from './databases.js';

/** An open, migrated database without the rest of the server, for tests of repositories. */
export class TestStores {
  private constructor(
    readonly stores: Stores,
    readonly transactions: Transactions,
    readonly database: TestDatabase,
    private readonly ownsDatabase: boolean,
  ) {}

  /** @param database one that is there already, as a second process would open it. */
  static async open(
    kind: DatabaseKind,
    { database, waitMilliseconds = 5000 }: { database?: TestDatabase; waitMilliseconds?: number } = {},
  ): Promise<TestStores> {
    const owned = database ?? (await createDatabase(kind));
    const config = { ...loadConfig({ ...owned.env }).database, waitMilliseconds };
    const stores = Stores.of(config, rows);
    await migrate(stores);
    await stores.openReader();
    return new TestStores(stores, new Transactions(stores, waitMilliseconds), owned, database === undefined);
  }

  async close(): Promise<void> {
    await this.stores.close();
    if (this.ownsDatabase) await this.database.remove();
  }
}
