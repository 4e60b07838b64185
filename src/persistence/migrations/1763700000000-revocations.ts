import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** The log of revocations, which the database itself writes, and refresh tokens. */
export class Revocations1763700000000 implements MigrationInterface {
  readonly name = 'Revocations1763700000000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('revocations', {
        columns: [
          c.bigId(),
          c.varchar('token_hash', 43),
          c.bigInteger('transaction_id'),
          c.instant('created_at'),
        ],
        indices: { revocations_by_transaction: ['transaction_id'] },
      }),
    );
    await runner.createTable(
      portableTable('refresh_tokens', {
        columns: [
          c.varchar('token_hash', 43, { isPrimary: true }),
          c.varchar('access_token_hash', 43),
          c.bigInteger('session_id'),
          c.instant('created_at'),
          c.instant('used_at', c.nullable),
        ],
        uniques: { refresh_tokens_access_token_hash: ['access_token_hash'] },
        indices: { refresh_tokens_by_session: ['session_id'] },
        cascadingKeys: { refresh_tokens_session: ['session_id', 'sessions'] },
        // Looked up by its key alone: a row number, and a tree of its own for it, would only cost.
        withoutRowid: true,
      }),
    );
    for (const statement of isPostgres(runner) ? POSTGRES_TRIGGERS : SQLITE_TRIGGERS) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = isPostgres(runner) ? ' ON sessions' : '';
    await runner.query(`DROP TRIGGER sessions_log_change${on}`);
    await runner.query(`DROP TRIGGER sessions_log_removal${on}`);
    if (isPostgres(runner)) await runner.query('DROP FUNCTION log_revocation');
    await runner.dropTable('refresh_tokens');
    await runner.dropTable('revocations');
  }
}

function isPostgres(runner: QueryRunner): boolean {
  return runner.dataSource.options.type === 'postgres';
}

/*
 * Written by the database, so that no statement can forget it: not a cascade from a deleted user, not a process of the
 * version before this table, not an operator's own UPDATE. Each change of what a token stands for is logged; the
 * recording of uses, by far the most frequent write, names none of these columns and fires nothing.
 */
const WHAT_A_TOKEN_STANDS_FOR =
  'token_hash, ended_at, kind, user_id, provider, idle_seconds, absolute_expires_at, started_at';

const SQLITE_LOG = `INSERT INTO revocations (token_hash, transaction_id, created_at)
  VALUES (OLD.token_hash, 0, CAST(unixepoch('subsec') * 1000 AS INTEGER));`;

const SQLITE_TRIGGERS = [
  `CREATE TRIGGER sessions_log_change AFTER UPDATE OF ${WHAT_A_TOKEN_STANDS_FOR} ON sessions
   WHEN OLD.ended_at IS NULL BEGIN ${SQLITE_LOG} END`,
  `CREATE TRIGGER sessions_log_removal AFTER DELETE ON sessions
   WHEN OLD.ended_at IS NULL BEGIN ${SQLITE_LOG} END`,
];

/*
 * The number of the transaction, and not of the row, is what readers go by: rows get their numbers in one order and
 * become visible in another, while a snapshot says exactly which transactions it has seen.
 */
const POSTGRES_TRIGGERS = [
  `CREATE FUNCTION log_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO revocations (token_hash, transaction_id, created_at)
     VALUES (OLD.token_hash, (pg_current_xact_id()::text)::bigint,
             (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER sessions_log_change AFTER UPDATE OF ${WHAT_A_TOKEN_STANDS_FOR} ON sessions
   FOR EACH ROW WHEN (OLD.ended_at IS NULL) EXECUTE FUNCTION log_revocation()`,
  `CREATE TRIGGER sessions_log_removal AFTER DELETE ON sessions
   FOR EACH ROW WHEN (OLD.ended_at IS NULL) EXECUTE FUNCTION log_revocation()`,
];
