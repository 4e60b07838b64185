import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** A person at a provider, and the user they are here. The only way by which a federated sign-in finds a user. */
export interface ExternalIdentityRow {
  id: number;
  application_id: number;
  provider_id: number;
  subject: string;
  user_id: number;
  disabled: boolean;
  /** What the provider said last, for people; nothing goes by it. */
  email: string | null;
  email_verified: boolean;
  /** JSON of OpenID Connect's claims, likewise. */
  profile: string;
  /** SHA-256, base64url, of what has to stay the same as long as this is the same person; null: nobody said. */
  continuity_hash: string | null;
  created_at: number;
  last_used_at: number;
}

export const externalIdentityRow = (c: Columns) =>
  new EntitySchema<ExternalIdentityRow>({
    name: 'external_identities',
    tableName: 'external_identities',
    columns: {
      id: c.id(),
      application_id: c.integer(),
      provider_id: c.integer(),
      subject: c.varchar(255),
      user_id: c.integer(),
      disabled: c.flag(),
      email: c.varchar(254, { nullable: true }),
      email_verified: c.flag(),
      profile: c.text(),
      continuity_hash: c.varchar(43, { nullable: true }),
      created_at: c.instant(),
      last_used_at: c.instant(),
    },
    uniques: [{ name: 'external_identities_subject', columns: ['application_id', 'provider_id', 'subject'] }],
    indices: [
      { name: 'external_identities_by_user', columns: ['user_id', 'id'] },
      { name: 'external_identities_by_provider', columns: ['provider_id'] },
    ],
    foreignKeys: [
      {
        name: 'external_identities_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
      {
        name: 'external_identities_provider',
        target: 'identity_providers',
        columnNames: ['provider_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
      {
        name: 'external_identities_user',
        target: 'users',
        columnNames: ['user_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
