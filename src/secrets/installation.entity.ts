import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** The one row by which an installation recognises its master key. */
export interface InstallationRow {
  id: number;
  key_check: string;
  created_at: number;
}

export const installationRow = (c: Columns) =>
  new EntitySchema<InstallationRow>({
    name: 'installation',
    tableName: 'installation',
    columns: { id: c.integer({ primary: true }), key_check: c.text(), created_at: c.instant() },
  });
