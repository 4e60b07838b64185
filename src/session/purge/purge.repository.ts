import { Injectable } from '@nestjs/common';
import { isAmongIds, isAmongTexts, toList } from '../../persistence/pairs.js';
import { Transactions } from '../../persistence/transactions.js';
import type { EndedOrNot } from './over-for-good.js';
import type { SessionRow } from '../session.entity.js';
import { toSession } from '../session.repository.js';

/** A refresh token, used or not, with the session it belongs to. */
export interface TokenOfSession {
  readonly tokenHash: string;
  readonly of: EndedOrNot;
}

/**
 * What the purges ask and remove. Sessions are walked in the order of ids: an index on the last use would let them be
 * found at once, and make every recorded use of every session dearer.
 */
@Injectable()
export class PurgeRepository {
  constructor(private readonly transactions: Transactions) {}

  async sessionsAfter(id: number, limit: number): Promise<EndedOrNot[]> {
    const rows = await this.transactions.query<SessionRow>(
      'SELECT * FROM sessions WHERE id > :id ORDER BY id LIMIT :limit',
      { id, limit },
    );
    return rows.map(toEndedOrNot);
  }

  /**
   * Those of the sessions that are still there, as they are and stay until the transaction ends. One that somebody
   * else holds at this moment, a refresh or a recorded use, is left out instead of waited for.
   */
  async lockSessions(sessions: readonly EndedOrNot[]): Promise<EndedOrNot[]> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : '';
    const rows = await this.transactions.query<SessionRow>(
      `SELECT * FROM sessions WHERE ${this.among('id')} ORDER BY id ${lock}`,
      { ids: idsOf(sessions) },
    );
    return rows.map(toEndedOrNot);
  }

  async sessionsOfUsers(userIds: readonly number[]): Promise<EndedOrNot[]> {
    const rows = await this.transactions.query<SessionRow>(
      `SELECT * FROM sessions WHERE ${this.among('user_id')}`,
      { ids: toList(userIds) },
    );
    return rows.map(toEndedOrNot);
  }

  /** Which of the sessions have a refresh token that was not used yet. */
  async sessionsWithLiveToken(sessions: readonly EndedOrNot[]): Promise<ReadonlySet<number>> {
    return this.sessionIds(
      `SELECT DISTINCT session_id AS id FROM refresh_tokens WHERE ${this.among('session_id')} AND used_at IS NULL`,
      { ids: idsOf(sessions) },
    );
  }

  /** Which of the sessions have a refresh token at all. */
  async sessionsWithToken(sessions: readonly EndedOrNot[]): Promise<ReadonlySet<number>> {
    return this.sessionIds(
      `SELECT id FROM sessions WHERE ${this.among('id')}
         AND EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id)`,
      { ids: idsOf(sessions) },
    );
  }

  /** Removes sessions that have no refresh tokens any more. @returns how many. */
  async removeSessions(sessions: readonly EndedOrNot[]): Promise<number> {
    const removed = await this.sessionIds(
      `DELETE FROM sessions WHERE ${this.among('id')}
         AND NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE session_id = sessions.id) RETURNING id`,
      { ids: idsOf(sessions) },
    );
    return removed.size;
  }

  /** Refresh tokens in the order of their hashes, which is no order at all but holds still. */
  async tokensAfter(hash: string, limit: number): Promise<TokenOfSession[]> {
    const rows = await this.transactions.query<SessionRow & { refresh_token_hash: string }>(
      `SELECT t.token_hash AS refresh_token_hash, s.* FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
       WHERE t.token_hash > :hash ORDER BY t.token_hash LIMIT :limit`,
      { hash, limit },
    );
    return rows.map((row) => ({ tokenHash: row.refresh_token_hash, of: toEndedOrNot(row) }));
  }

  /** Removes the refresh tokens of these sessions, `most` of them at most. @returns how many. */
  async removeTokensOf(sessions: readonly EndedOrNot[], most: number): Promise<number> {
    const rows = await this.transactions.query(
      `DELETE FROM refresh_tokens WHERE token_hash IN (
         SELECT token_hash FROM refresh_tokens WHERE ${this.among('session_id')} LIMIT :most) RETURNING token_hash`,
      { ids: idsOf(sessions), most },
    );
    return rows.length;
  }

  async removeTokens(hashes: readonly string[]): Promise<void> {
    await this.transactions.query(
      `DELETE FROM refresh_tokens WHERE ${isAmongTexts(this.transactions.dialect, 'token_hash')}`,
      { texts: toList(hashes) },
    );
  }

  /**
   * Removes the oldest revocations from before so long ago, by the database's clock. The oldest have the lowest ids,
   * near enough; an index on the time would make every revocation dearer. @returns how many.
   */
  async removeRevocations(ageMilliseconds: number, most: number): Promise<number> {
    const now =
      this.transactions.dialect === 'postgres'
        ? '(extract(epoch FROM clock_timestamp()) * 1000)::bigint'
        : `CAST(unixepoch('subsec') * 1000 AS INTEGER)`;
    const rows = await this.transactions.query(
      `DELETE FROM revocations WHERE id IN (
         SELECT id FROM (SELECT id, created_at FROM revocations ORDER BY id LIMIT :most) AS oldest
         WHERE created_at < (SELECT ${now}) - :ageMilliseconds) RETURNING id`,
      { ageMilliseconds, most },
    );
    return rows.length;
  }

  private among(column: string): string {
    return isAmongIds(this.transactions.dialect, column);
  }

  private async sessionIds(
    statement: string,
    parameters: Readonly<Record<string, unknown>>,
  ): Promise<ReadonlySet<number>> {
    const rows = await this.transactions.query<{ id: number }>(statement, parameters);
    return new Set(rows.map(({ id }) => id));
  }
}

function idsOf(sessions: readonly EndedOrNot[]): string {
  return toList(sessions.map(({ session }) => session.id));
}

function toEndedOrNot(row: SessionRow): EndedOrNot {
  return { session: toSession(row), endedAt: row.ended_at };
}
