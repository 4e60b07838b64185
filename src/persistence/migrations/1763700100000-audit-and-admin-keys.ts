import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** The audit log, which refuses changes to its entries, and the keys of the admin API. */
export class AuditAndAdminKeys1763700100000 implements MigrationInterface {
  readonly name = 'AuditAndAdminKeys1763700100000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('audit_entries', {
        columns: [
          c.bigId(),
          c.instant('at'),
          c.varchar('actor_kind', 16),
          c.varchar('actor_id', 255, c.nullable),
          c.varchar('act', 64),
          c.integer('application_id', c.nullable),
          c.integer('user_id', c.nullable),
          c.bigInteger('session_id', c.nullable),
          c.varchar('address', 45, c.nullable),
          c.varchar('request_id', 64, c.nullable),
          c.varchar('outcome', 8),
          c.varchar('reason', 64, c.nullable),
          c.text('details'),
        ],
        indices: {
          audit_entries_by_application: ['application_id', 'at', 'id'],
          audit_entries_by_time: ['at', 'id'],
        },
      }),
    );
    for (const statement of isPostgres(runner) ? REFUSE_ON_POSTGRES : REFUSE_ON_SQLITE) {
      await runner.query(statement);
    }
    await runner.createTable(
      portableTable('admin_keys', {
        columns: [
          c.id(),
          c.varchar('name', 100, c.nullable),
          c.varchar('role', 16),
          c.varchar('key_hash', 43),
          c.instant('created_at'),
          c.instant('revoked_at', c.nullable),
          c.instant('last_used_at', c.nullable),
        ],
        uniques: { admin_keys_key_hash: ['key_hash'] },
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('admin_keys');
    // The trigger goes with its table.
    await runner.dropTable('audit_entries');
    if (isPostgres(runner)) await runner.query('DROP FUNCTION refuse_audit_change()');
  }
}

function isPostgres(runner: QueryRunner): boolean {
  return runner.dataSource.options.type === 'postgres';
}

/** A later migration that builds the table anew on SQLite has to make the trigger anew. */
const REFUSE_ON_SQLITE = [
  `CREATE TRIGGER audit_entries_append_only BEFORE UPDATE ON audit_entries
   BEGIN SELECT RAISE(ABORT, 'entries of the audit log are not changed'); END`,
];

const REFUSE_ON_POSTGRES = [
  `CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN RAISE EXCEPTION 'entries of the audit log are not changed'; END $$`,
  `CREATE TRIGGER audit_entries_append_only BEFORE UPDATE ON audit_entries
   FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`,
];
