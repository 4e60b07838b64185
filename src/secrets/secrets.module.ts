import { Module, type DynamicModule } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { SecretsConfig } from '../config/config.js';
import { Transactions } from '../persistence/transactions.js';
import { TimeModule } from '../time/time.module.js';
import { type EncryptedColumn, EncryptedColumnsRepository } from './encrypted-columns.repository.js';
import { InstallationRepository } from './installation.repository.js';
import { openSecrets } from './open-secrets.js';
import { SecretRotation } from './secret-rotation.js';
import { Secrets } from './secrets.js';

/**
 * Owns the master key and everything encrypted under it. Nothing of the server starts before the key has been
 * found to fit the database.
 */
@Module({})
export class SecretsModule {
  static of(columns: readonly EncryptedColumn[]): DynamicModule {
    return {
      module: SecretsModule,
      global: true,
      imports: [TimeModule],
      providers: [
        InstallationRepository,
        EncryptedColumnsRepository,
        {
          provide: Secrets,
          inject: [SecretsConfig, InstallationRepository, Transactions],
          useFactory: openSecrets,
        },
        {
          provide: SecretRotation,
          inject: [Secrets, EncryptedColumnsRepository, Transactions, AuditLog],
          useFactory: (
            secrets: Secrets,
            values: EncryptedColumnsRepository,
            transactions: Transactions,
            audit: AuditLog,
          ) => new SecretRotation(secrets, values, transactions, audit, columns),
        },
      ],
      exports: [Secrets, SecretRotation],
    };
  }
}
