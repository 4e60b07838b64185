import { Injectable } from '@nestjs/common';
import { Transactions } from '../persistence/transactions.js';

/** A column that holds `Secrets.encrypt` values. `src/rows.ts` lists them all. */
export interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
}

interface EncryptedValue {
  readonly id: number;
  readonly value: string;
}

/** Reads and rewrites encrypted columns of any table, for key rotation. Names come from code, never from input. */
@Injectable()
export class EncryptedColumnsRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The next rows after `afterId`, in id order. */
  async page({ table, column }: EncryptedColumn, afterId: number, size: number): Promise<EncryptedValue[]> {
    const rows: unknown = await this.transactions.manager
      .createQueryBuilder()
      .select('t.id', 'id')
      .addSelect(`t.${column}`, 'value')
      .from(table, 't')
      .where(`t.id > :afterId AND t.${column} IS NOT NULL`, { afterId })
      .orderBy('t.id')
      .limit(size)
      .getRawMany();
    return rows as EncryptedValue[];
  }

  /** Replaces one value unless it was changed meanwhile. */
  async replace(
    { table, column }: EncryptedColumn,
    { id, value }: EncryptedValue,
    by: string,
  ): Promise<void> {
    await this.transactions.manager
      .createQueryBuilder()
      .update(table)
      .set({ [column]: by })
      .where(`id = :id AND ${column} = :value`, { id, value })
      .execute();
  }
}
