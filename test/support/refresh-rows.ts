import type { TestStores } from './test-stores.js';

let count = 0;

/** Refresh tokens of a session, as rows. */
export class RefreshRows {
  constructor(private readonly open: TestStores) {}

  /** @param usedAt null: the live one. @returns the hash. */
  async aToken(sessionId: number, usedAt: number | null = null): Promise<string> {
    count += 1;
    const hash = `refresh-${String(count).padStart(6, '0')}`;
    await this.open.transactions.run(() =>
      this.open.transactions.query(
        `INSERT INTO refresh_tokens (token_hash, access_token_hash, session_id, created_at, used_at)
         VALUES (:hash, :access, :sessionId, 0, :usedAt)`,
        { hash, access: `access-of-${hash}`, sessionId, usedAt },
      ),
    );
    return hash;
  }

  async aUsedToken(sessionId: number): Promise<string> {
    return this.aToken(sessionId, 1);
  }

  async hashes(): Promise<string[]> {
    const rows = await this.open.transactions.query<{ token_hash: string }>(
      'SELECT token_hash FROM refresh_tokens ORDER BY token_hash',
    );
    return rows.map(({ token_hash }) => token_hash);
  }
}
