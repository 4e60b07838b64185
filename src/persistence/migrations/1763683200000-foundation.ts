import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** Applications, users, sessions, throttle counters, and the row that recognises the master key. */
export class Foundation1763683200000 implements MigrationInterface {
  readonly name = 'Foundation1763683200000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('installation', {
        columns: [c.integer('id', { isPrimary: true }), c.text('key_check'), c.instant('created_at')],
      }),
    );
    await runner.createTable(
      portableTable('applications', {
        columns: [
          c.id(),
          c.varchar('name', 100),
          c.varchar('auth_key', 64),
          c.text('auth_secret'),
          c.text('settings'),
          c.bigInteger('sessions_ended_up_to'),
          c.instant('created_at'),
          c.instant('updated_at'),
        ],
        uniques: { applications_auth_key: ['auth_key'] },
      }),
    );
    await runner.createTable(
      portableTable('users', {
        columns: [
          c.id(),
          c.integer('application_id'),
          c.varchar('login', 255, c.nullable),
          c.varchar('login_key', 255, c.nullable),
          c.varchar('email', 254, c.nullable),
          c.varchar('email_key', 254, c.nullable),
          c.flag('email_verified'),
          c.varchar('phone', 32, c.nullable),
          c.varchar('phone_key', 32, c.nullable),
          c.flag('phone_verified'),
          c.text('password_hash', c.nullable),
          c.integer('credential_version'),
          c.flag('guest'),
          c.flag('disabled'),
          c.varchar('full_name', 255, c.nullable),
          c.varchar('website', 2048, c.nullable),
          c.varchar('external_id', 255, c.nullable),
          c.text('custom_data', c.nullable),
          c.varchar('locale', 35, c.nullable),
          c.varchar('timezone', 64, c.nullable),
          c.varchar('country', 2, c.nullable),
          c.instant('last_request_at', c.nullable),
          c.instant('created_at'),
          c.instant('updated_at'),
        ],
        uniques: {
          users_login: ['application_id', 'login_key'],
          users_email: ['application_id', 'email_key'],
          users_phone: ['application_id', 'phone_key'],
        },
        cascadingKeys: { users_application: ['application_id', 'applications'] },
      }),
    );
    await runner.createTable(
      portableTable('sessions', {
        columns: [
          c.bigId(),
          c.integer('application_id'),
          c.integer('user_id', c.nullable),
          c.varchar('kind', 11),
          c.varchar('provider', 64, c.nullable),
          c.text('amr'),
          c.instant('auth_time', c.nullable),
          c.varchar('token_hash', 43),
          c.instant('created_at'),
          c.instant('started_at'),
          c.instant('last_used_at'),
          c.integer('idle_seconds', c.nullable),
          c.instant('absolute_expires_at', c.nullable),
          c.instant('ended_at', c.nullable),
          c.varchar('end_reason', 32, c.nullable),
        ],
        uniques: { sessions_token_hash: ['token_hash'] },
        indices: { sessions_by_user: ['user_id', 'id'] },
        cascadingKeys: {
          sessions_application: ['application_id', 'applications'],
          sessions_user: ['user_id', 'users'],
        },
      }),
    );
    await runner.createTable(
      portableTable('throttle_counters', {
        columns: [
          c.varchar('key', 100, { isPrimary: true }),
          c.integer('count'),
          c.instant('window_ends_at'),
          c.instant('paused_until'),
        ],
        indices: { throttle_counters_by_end: ['window_ends_at'] },
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['throttle_counters', 'sessions', 'users', 'applications', 'installation']) {
      await runner.dropTable(table);
    }
  }
}
