import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** Chat servers that may ask who may log in. */
export class ChatClients1764000000000 implements MigrationInterface {
  readonly name = 'ChatClients1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('chat_clients', {
        columns: [
          c.id(),
          c.varchar('name', 100),
          c.integer('application_id', c.nullable),
          c.varchar('secret_hash', 43),
          c.text('administration', c.nullable),
          c.instant('created_at'),
          c.instant('revoked_at', c.nullable),
          c.instant('last_used_at', c.nullable),
        ],
        uniques: { chat_clients_secret_hash: ['secret_hash'] },
        indices: { chat_clients_by_application: ['application_id'] },
        cascadingKeys: { chat_clients_application: ['application_id', 'applications'] },
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('chat_clients');
  }
}
