import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';
import type { AdminRole } from './admin-key.js';

export interface AdminKeyRow {
  id: number;
  name: string | null;
  role: AdminRole;
  /** SHA-256 in base64url. */
  key_hash: string;
  created_at: number;
  revoked_at: number | null;
  last_used_at: number | null;
}

export const adminKeyRow = (c: Columns) =>
  new EntitySchema<AdminKeyRow>({
    name: 'admin_keys',
    tableName: 'admin_keys',
    columns: {
      id: c.id(),
      name: c.varchar(100, { nullable: true }),
      role: c.varchar(16),
      key_hash: c.varchar(43),
      created_at: c.instant(),
      revoked_at: c.instant({ nullable: true }),
      last_used_at: c.instant({ nullable: true }),
    },
    uniques: [{ name: 'admin_keys_key_hash', columns: ['key_hash'] }],
  });
