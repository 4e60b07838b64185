import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/**
 * What definitions of identity providers were. The present ones get their row when they are changed next: their options
 * are encrypted for the row they are in.
 */
export class ProviderVersions1763900300000 implements MigrationInterface {
  readonly name = 'ProviderVersions1763900300000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('identity_provider_versions', {
        columns: [
          c.id(),
          c.integer('application_id'),
          c.integer('provider_id'),
          c.integer('version'),
          c.varchar('act', 16),
          c.integer('restored_version', c.nullable),
          c.varchar('actor_kind', 16, c.nullable),
          c.varchar('actor_id', 255, c.nullable),
          c.text('changed'),
          c.flag('enabled'),
          c.text('options'),
          c.text('policies'),
          c.instant('created_at'),
        ],
        uniques: { identity_provider_versions_version: ['provider_id', 'version'] },
        indices: { identity_provider_versions_by_application: ['application_id'] },
        cascadingKeys: {
          identity_provider_versions_application: ['application_id', 'applications'],
          identity_provider_versions_provider: ['provider_id', 'identity_providers'],
        },
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('identity_provider_versions');
  }
}
