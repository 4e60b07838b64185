import { EntitySchema } from 'typeorm';
import type { ActorKind } from '../observability/request-context.js';
import type { Columns } from '../persistence/columns.js';
import type { VersionAct } from './provider-version.js';

/** A definition as it was from one change to the next. Rows are added and, when there are many, removed; never changed. */
export interface ProviderVersionRow {
  id: number;
  application_id: number;
  provider_id: number;
  version: number;
  act: VersionAct;
  restored_version: number | null;
  /** Null where the change was made before versions were kept. */
  actor_kind: ActorKind | null;
  actor_id: string | null;
  /** JSON: RFC 6901 pointers. */
  changed: string;
  enabled: boolean;
  /** `Secrets.encrypt` of a JSON object. */
  options: string;
  /** JSON. */
  policies: string;
  created_at: number;
}

export const providerVersionRow = (c: Columns) =>
  new EntitySchema<ProviderVersionRow>({
    name: 'identity_provider_versions',
    tableName: 'identity_provider_versions',
    columns: {
      id: c.id(),
      application_id: c.integer(),
      provider_id: c.integer(),
      version: c.integer(),
      act: c.varchar(16),
      restored_version: c.integer({ nullable: true }),
      actor_kind: c.varchar(16, { nullable: true }),
      actor_id: c.varchar(255, { nullable: true }),
      changed: c.text(),
      enabled: c.flag(),
      options: c.text(),
      policies: c.text(),
      created_at: c.instant(),
    },
    uniques: [{ name: 'identity_provider_versions_version', columns: ['provider_id', 'version'] }],
    indices: [{ name: 'identity_provider_versions_by_application', columns: ['application_id'] }],
    foreignKeys: [
      {
        name: 'identity_provider_versions_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
      {
        name: 'identity_provider_versions_provider',
        target: 'identity_providers',
        columnNames: ['provider_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
