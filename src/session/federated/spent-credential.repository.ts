import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Transactions } from '../../persistence/transactions.js';

/** Remembers which one-time tokens have been traded. */
@Injectable()
export class SpentCredentialRepository {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Spends a token of a provider. Of two transactions that try, in whichever processes, one succeeds.
   *
   * @returns false when it was spent before.
   */
  async spend(providerId: number, id: string, expiresAt: number): Promise<boolean> {
    const hash = createHash('sha256').update(`${providerId}:${id}`).digest('base64url');
    const rows = await this.transactions.query(
      `INSERT INTO spent_credentials (hash, expires_at) VALUES (:hash, :expiresAt)
       ON CONFLICT (hash) DO NOTHING RETURNING hash`,
      { hash, expiresAt },
    );
    return rows.length === 1;
  }

  /** @returns how many; fewer than `limit` when there are no more. */
  async removeLapsed(now: number, limit: number): Promise<number> {
    const rows = await this.transactions.query(
      `DELETE FROM spent_credentials WHERE hash IN
         (SELECT hash FROM spent_credentials WHERE expires_at < :now ORDER BY expires_at LIMIT :limit) RETURNING hash`,
      { now, limit },
    );
    return rows.length;
  }
}
