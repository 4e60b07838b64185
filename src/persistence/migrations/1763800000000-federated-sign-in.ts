import type { MigrationInterface, QueryRunner } from 'typeorm';
import { portableColumns, portableTable } from './portable-table.js';

/** Identity providers, the identities they vouch for, browser sign-ins under way, and tokens that may come only once. */
export class FederatedSignIn1763800000000 implements MigrationInterface {
  readonly name = 'FederatedSignIn1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    const c = portableColumns(runner);
    await runner.createTable(
      portableTable('identity_providers', {
        columns: [
          c.id(),
          c.integer('application_id'),
          c.varchar('kind', 32),
          c.varchar('slug', 64),
          c.flag('enabled'),
          c.integer('version'),
          c.text('options'),
          c.text('policies'),
          c.instant('created_at'),
          c.instant('updated_at'),
        ],
        uniques: { identity_providers_slug: ['application_id', 'slug'] },
        cascadingKeys: { identity_providers_application: ['application_id', 'applications'] },
      }),
    );
    await runner.createTable(
      portableTable('external_identities', {
        columns: [
          c.id(),
          c.integer('application_id'),
          c.integer('provider_id'),
          c.varchar('subject', 255),
          c.integer('user_id'),
          c.flag('disabled'),
          c.varchar('email', 254, c.nullable),
          c.flag('email_verified'),
          c.text('profile'),
          c.instant('created_at'),
          c.instant('last_used_at'),
        ],
        uniques: { external_identities_subject: ['application_id', 'provider_id', 'subject'] },
        indices: {
          external_identities_by_user: ['user_id', 'id'],
          external_identities_by_provider: ['provider_id'],
        },
        cascadingKeys: {
          external_identities_application: ['application_id', 'applications'],
          external_identities_provider: ['provider_id', 'identity_providers'],
          external_identities_user: ['user_id', 'users'],
        },
      }),
    );
    await runner.createTable(
      portableTable('redirect_sign_ins', {
        columns: [
          c.varchar('state_hash', 43, { isPrimary: true }),
          c.integer('application_id'),
          c.integer('provider_id'),
          c.bigInteger('session_id', c.nullable),
          c.text('redirect_uri'),
          c.text('client_state', c.nullable),
          c.varchar('code_challenge', 43),
          c.text('sealed'),
          c.varchar('code_hash', 43, c.nullable),
          c.instant('expires_at'),
        ],
        uniques: { redirect_sign_ins_code: ['code_hash'] },
        indices: { redirect_sign_ins_by_end: ['expires_at'] },
        cascadingKeys: {
          redirect_sign_ins_application: ['application_id', 'applications'],
          redirect_sign_ins_provider: ['provider_id', 'identity_providers'],
        },
      }),
    );
    await runner.createTable(
      portableTable('spent_credentials', {
        columns: [c.varchar('hash', 43, { isPrimary: true }), c.instant('expires_at')],
        indices: { spent_credentials_by_end: ['expires_at'] },
        withoutRowid: true,
      }),
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'spent_credentials',
      'redirect_sign_ins',
      'external_identities',
      'identity_providers',
    ]) {
      await runner.dropTable(table);
    }
  }
}
