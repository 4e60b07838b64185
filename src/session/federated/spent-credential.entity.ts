import { EntitySchema } from 'typeorm';
import type { Columns } from '../../persistence/columns.js';

/** A token that may be traded once, and was. Kept as long as it could be taken for a fresh one. */
export interface SpentCredentialRow {
  /** SHA-256 in base64url of the provider and the token's id. */
  hash: string;
  expires_at: number;
}

export const spentCredentialRow = (c: Columns) =>
  new EntitySchema<SpentCredentialRow>({
    name: 'spent_credentials',
    tableName: 'spent_credentials',
    withoutRowid: true,
    columns: { hash: c.varchar(43, { primary: true }), expires_at: c.instant() },
    indices: [{ name: 'spent_credentials_by_end', columns: ['expires_at'] }],
  });
