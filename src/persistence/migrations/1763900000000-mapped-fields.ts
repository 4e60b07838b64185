import type { MigrationInterface, QueryRunner } from 'typeorm';

const COLUMNS = [
  ['users', 'tags', 'text'],
  ['users', 'attributes', 'text'],
  ['external_identities', 'continuity_hash', 'varchar(43)'],
] as const;

/**
 * What operators map from a partner's answer: tags and attributes of users, and what tells two owners of a subject apart.
 * In SQL: TypeORM adds a column to a table of SQLite by copying all of it.
 */
export class MappedFields1763900000000 implements MigrationInterface {
  readonly name = 'MappedFields1763900000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [table, column, type] of COLUMNS) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [table, column] of COLUMNS) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  }
}
