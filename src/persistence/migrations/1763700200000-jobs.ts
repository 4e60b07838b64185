import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** Who works on which job, how far it got, and when it is due again. */
export class Jobs1763700200000 implements MigrationInterface {
  readonly name = 'Jobs1763700200000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('job_leases', {
        columns: [
          c.varchar('name', 64, { isPrimary: true }),
          c.bigInteger('version'),
          c.varchar('holder', 128, c.nullable),
          c.instant('lease_expires_at', c.nullable),
          c.instant('next_run_at'),
          c.text('cursor', c.nullable),
          c.bigInteger('rows_done'),
          c.integer('failures'),
          c.instant('last_started_at', c.nullable),
          c.instant('last_finished_at', c.nullable),
          c.instant('last_succeeded_at', c.nullable),
          c.varchar('last_outcome', 16, c.nullable),
        ],
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropTable('job_leases');
  }
}
