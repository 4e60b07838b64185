import { EntitySchema } from 'typeorm';
import type { Columns } from '../../persistence/columns.js';

/** A token that stands for something else now, or for nothing. Written by triggers on `sessions` alone. */
export interface RevocationRow {
  id: number;
  token_hash: string;
  /** PostgreSQL: the number of the transaction that revoked. SQLite: 0, as rows become visible in the order of ids. */
  transaction_id: number;
  /** By the database's clock. */
  created_at: number;
}

export const revocationRow = (c: Columns) =>
  new EntitySchema<RevocationRow>({
    name: 'revocations',
    tableName: 'revocations',
    columns: {
      id: c.bigId(),
      token_hash: c.varchar(43),
      transaction_id: c.bigInteger(),
      created_at: c.instant(),
    },
    indices: [{ name: 'revocations_by_transaction', columns: ['transaction_id'] }],
  });
