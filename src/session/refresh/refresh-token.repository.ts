import { Injectable } from '@nestjs/common';
import { Transactions } from '../../persistence/transactions.js';
import type { RefreshTokenRow } from './refresh-token.entity.js';
import type { StoredRefreshToken } from './refresh.js';
import type { SessionRow } from '../session.entity.js';
import type { Session } from '../session.js';
import { toSession } from '../session.repository.js';

interface NewRefreshToken {
  readonly tokenHash: string;
  readonly accessTokenHash: string;
  readonly sessionId: number;
  readonly now: number;
}

/** Keeps refresh tokens, used ones included: a session's rows are its family, and tell a replay from a stranger. */
@Injectable()
export class RefreshTokenRepository {
  constructor(private readonly transactions: Transactions) {}

  async insert({ tokenHash, accessTokenHash, sessionId, now }: NewRefreshToken): Promise<void> {
    await this.transactions.query(
      `INSERT INTO refresh_tokens (token_hash, access_token_hash, session_id, created_at)
       VALUES (:tokenHash, :accessTokenHash, :sessionId, :now)`,
      { tokenHash, accessTokenHash, sessionId, now },
    );
  }

  async find(tokenHash: string): Promise<StoredRefreshToken | null> {
    type Row = SessionRow & Pick<RefreshTokenRow, 'used_at' | 'access_token_hash'>;
    const rows = await this.transactions.query<Row>(
      `SELECT s.*, r.used_at, r.access_token_hash
       FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id WHERE r.token_hash = :tokenHash`,
      { tokenHash },
    );
    const row = rows[0];
    if (!row) return null;
    return {
      accessTokenHash: row.access_token_hash,
      usedAt: row.used_at,
      session: toSession(row),
      isRevoked: row.ended_at !== null,
    };
  }

  async exists(tokenHash: string): Promise<boolean> {
    const rows = await this.transactions.query('SELECT 1 FROM refresh_tokens WHERE token_hash = :tokenHash', {
      tokenHash,
    });
    return rows.length === 1;
  }

  /** Marks a token as used and keeps its successor, in one statement. */
  async succeed(
    used: { readonly tokenHash: string; readonly accessTokenHash: string },
    { tokenHash, accessTokenHash, sessionId, now }: NewRefreshToken,
  ): Promise<void> {
    await this.transactions.query(
      `INSERT INTO refresh_tokens (token_hash, access_token_hash, session_id, created_at, used_at)
       VALUES (:usedHash, :usedAccessHash, :sessionId, :now, :now), (:tokenHash, :accessTokenHash, :sessionId, :now, NULL)
       ON CONFLICT (token_hash) DO UPDATE SET used_at = excluded.used_at`,
      {
        usedHash: used.tokenHash,
        usedAccessHash: used.accessTokenHash,
        tokenHash,
        accessTokenHash,
        sessionId,
        now,
      },
    );
  }

  /** The session of an access token whose refresh token was used after `usedAfter`, if nobody ended it. */
  async findSessionOfSuperseded(accessTokenHash: string, usedAfter: number): Promise<Session | null> {
    const rows = await this.transactions.query<SessionRow>(
      `SELECT s.* FROM refresh_tokens r JOIN sessions s ON s.id = r.session_id
       WHERE r.access_token_hash = :accessTokenHash AND r.used_at >= :usedAfter AND s.ended_at IS NULL`,
      { accessTokenHash, usedAfter },
    );
    return rows[0] ? toSession(rows[0]) : null;
  }

  /** Ends the family and leaves the session: none of its refresh tokens, and no superseded access token, works on. */
  async removeOfSession(sessionId: number): Promise<void> {
    await this.transactions.query('DELETE FROM refresh_tokens WHERE session_id = :sessionId', { sessionId });
  }
}
