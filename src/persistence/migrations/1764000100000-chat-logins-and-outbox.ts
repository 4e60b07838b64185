import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** Who was let into which chat with what, and what there is to be told to others. */
export class ChatLoginsAndOutbox1764000100000 implements MigrationInterface {
  readonly name = 'ChatLoginsAndOutbox1764000100000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('chat_logins', {
        columns: [
          c.bigId(),
          c.integer('chat_client_id'),
          c.integer('application_id'),
          c.integer('user_id'),
          c.bigInteger('session_id'),
          c.varchar('user_name', 320),
          c.varchar('domain', 255),
          c.instant('ends_at', c.nullable),
          c.instant('first_at'),
          c.instant('lapsed_at', c.nullable),
        ],
        uniques: { chat_logins_once: ['session_id', 'user_id', 'chat_client_id', 'user_name', 'domain'] },
        indices: {
          chat_logins_by_user: ['user_id', 'session_id'],
          chat_logins_by_application: ['application_id', 'session_id'],
        },
      }),
    );
    await runner.createTable(
      portableTable('outbox_messages', {
        columns: [
          c.bigId(),
          c.varchar('topic', 64),
          c.varchar('target', 128),
          c.varchar('deduplication_key', 255, c.nullable),
          c.text('payload'),
          c.instant('due_at', c.nullable),
          c.varchar('claimed_by', 128, c.nullable),
          c.integer('attempts'),
          c.varchar('last_error', 64, c.nullable),
          c.instant('created_at'),
          c.instant('give_up_at'),
          c.instant('failed_at', c.nullable),
        ],
        uniques: { outbox_messages_once: ['deduplication_key'] },
        indices: { outbox_messages_by_target: ['target', 'due_at', 'id'] },
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['outbox_messages', 'chat_logins']) await runner.dropTable(table);
  }
}
