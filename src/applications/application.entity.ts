import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** A tenant. */
export interface ApplicationRow {
  id: number;
  name: string;
  auth_key: string;
  /** `Secrets.encrypt`: needed in clear to check HMAC signatures. */
  auth_secret: string;
  /** JSON of what differs from the defaults. */
  settings: string;
  /** Sessions with this id or a lower one are over, without a write to each. */
  sessions_ended_up_to: number;
  created_at: number;
  updated_at: number;
}

export const applicationRow = (c: Columns) =>
  new EntitySchema<ApplicationRow>({
    name: 'applications',
    tableName: 'applications',
    columns: {
      id: c.id(),
      name: c.varchar(100),
      auth_key: c.varchar(64),
      auth_secret: c.text(),
      settings: c.text(),
      sessions_ended_up_to: c.bigInteger(),
      created_at: c.instant(),
      updated_at: c.instant(),
    },
    uniques: [{ name: 'applications_auth_key', columns: ['auth_key'] }],
  });
