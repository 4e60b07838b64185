import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** A provider instance of an application. Deleted ones take their external identities with them. */
export interface IdentityProviderRow {
  id: number;
  application_id: number;
  kind: string;
  slug: string;
  enabled: boolean;
  version: number;
  /** `Secrets.encrypt` of a JSON object: which of them are secrets is for the kind to say. */
  options: string;
  /** JSON. */
  policies: string;
  created_at: number;
  updated_at: number;
}

export const identityProviderRow = (c: Columns) =>
  new EntitySchema<IdentityProviderRow>({
    name: 'identity_providers',
    tableName: 'identity_providers',
    columns: {
      id: c.id(),
      application_id: c.integer(),
      kind: c.varchar(32),
      slug: c.varchar(64),
      enabled: c.flag(),
      version: c.integer(),
      options: c.text(),
      policies: c.text(),
      created_at: c.instant(),
      updated_at: c.instant(),
    },
    uniques: [{ name: 'identity_providers_slug', columns: ['application_id', 'slug'] }],
    foreignKeys: [
      {
        name: 'identity_providers_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
