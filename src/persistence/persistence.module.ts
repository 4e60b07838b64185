import { Global, Injectable, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { DatabaseConfig } from '../config/config.js';
import { Doorbell, PostgresDoorbell, SilentDoorbell, SqliteDoorbell } from './doorbell.js';
import { migrate } from './migrator.js';
import { OwnConnection, PostgresOwnConnection, SqliteOwnConnection } from './own-connection.js';
import type { RowDefinition } from './row-definition.js';
import { Stores } from './stores.js';
import { Transactions } from './transactions.js';

@Injectable()
class StoresCloser implements OnApplicationShutdown {
  constructor(
    private readonly stores: Stores,
    private readonly doorbell: Doorbell,
    private readonly ownConnection: OwnConnection,
  ) {}

  /** Last of all, as this module is global: features write what they hold in their own `onApplicationShutdown`. */
  async onApplicationShutdown(): Promise<void> {
    await this.doorbell.stop();
    await this.ownConnection.close();
    await this.stores.close();
  }
}

/**
 * Owns the connections, the transactions and the schema. Migrates before anything may ask for a row. Knows no
 * table: the composition root hands it the rows of the features.
 */
@Global()
@Module({})
export class PersistenceModule {
  static of(rows: readonly RowDefinition[]): DynamicModule {
    return {
      module: PersistenceModule,
      providers: [
        {
          provide: Stores,
          inject: [DatabaseConfig],
          useFactory: async (config: DatabaseConfig) => {
            const stores = Stores.of(config, rows);
            await migrate(stores);
            await stores.openReader();
            return stores;
          },
        },
        {
          provide: Transactions,
          inject: [Stores, DatabaseConfig],
          useFactory: (stores: Stores, config: DatabaseConfig) =>
            new Transactions(stores, config.waitMilliseconds),
        },
        {
          provide: OwnConnection,
          inject: [Stores, DatabaseConfig],
          useFactory: (stores: Stores, config: DatabaseConfig) =>
            config.kind === 'postgres' ? new PostgresOwnConnection(config) : new SqliteOwnConnection(stores),
        },
        {
          provide: Doorbell,
          inject: [Stores, DatabaseConfig],
          useFactory: (stores: Stores, config: DatabaseConfig) => {
            if (!config.doorbell) return new SilentDoorbell();
            return config.kind === 'postgres' ? new PostgresDoorbell(config) : new SqliteDoorbell(stores);
          },
        },
        StoresCloser,
      ],
      exports: [Transactions, OwnConnection, Doorbell],
    };
  }
}
