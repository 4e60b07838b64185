import { Injectable } from '@nestjs/common';
import { isAmongIds, toList } from '../../persistence/pairs.js';
import { Transactions } from '../../persistence/transactions.js';
import type { ChatLoginRow } from './chat-login.entity.js';
import type { ChatLogin, RememberedLogin } from './chat-login.js';

/** In the place of a session's id, which begin at 1. */
const PASSWORD = 0;

/** Keeps who was let into which chat with what, until that is over. */
@Injectable()
export class ChatLoginRepository {
  constructor(private readonly transactions: Transactions) {}

  /** @param endsAt the absolute end of the session. */
  async insert(login: ChatLogin, endsAt: number | null, now: number): Promise<void> {
    await this.transactions.query(
      `INSERT INTO chat_logins (chat_client_id, application_id, user_id, session_id, user_name, domain, ends_at, first_at)
       VALUES (:chatClientId, :applicationId, :userId, :sessionId, :userName, :domain, :endsAt, :now)
       ON CONFLICT (session_id, user_id, chat_client_id, user_name, domain) DO UPDATE
         SET ends_at = excluded.ends_at, lapsed_at = NULL`,
      {
        chatClientId: login.chatClientId,
        applicationId: login.applicationId,
        userId: login.userId,
        sessionId: login.session?.id ?? PASSWORD,
        userName: login.userName,
        domain: login.domain ?? '',
        endsAt,
        now,
      },
    );
  }

  /** Removes the logins with these sessions, but for this user's. @returns what was removed, as do all below. */
  removeOfSessions(sessionIds: readonly number[], butOfUser: number | null): Promise<RememberedLogin[]> {
    return this.remove(`${this.among('session_id')} AND user_id <> :butOfUser`, {
      ids: toList(sessionIds),
      butOfUser: butOfUser ?? 0,
    });
  }

  /** Removes the user's logins with sessions other than this one, and if asked for those with the password. */
  removeOfUser(
    userId: number,
    { exceptSessionId, withPassword }: { exceptSessionId: number | null; withPassword: boolean },
  ): Promise<RememberedLogin[]> {
    return this.remove('user_id = :userId AND session_id <> :exceptSessionId AND session_id >= :from', {
      userId,
      exceptSessionId: exceptSessionId ?? -1,
      from: withPassword ? PASSWORD : PASSWORD + 1,
    });
  }

  /** Removes up to `limit` logins with sessions of an application up to this id. */
  removeOfApplication(
    applicationId: number,
    upToSessionId: number,
    limit: number,
  ): Promise<RememberedLogin[]> {
    const some = `SELECT id FROM chat_logins
      WHERE application_id = :applicationId AND session_id > ${PASSWORD} AND session_id <= :upToSessionId
      ORDER BY session_id LIMIT :limit`;
    const among = this.transactions.dialect === 'postgres' ? `id = ANY (ARRAY(${some}))` : `id IN (${some})`;
    return this.remove(among, { applicationId, upToSessionId, limit });
  }

  removeAll(ids: readonly number[]): Promise<RememberedLogin[]> {
    return this.remove(this.among('id'), { ids: toList(ids) });
  }

  /** Notes that the chats of these logins are ended, and keeps the logins. @returns those of which it was not noted. */
  async markLapsed(ids: readonly number[], now: number): Promise<RememberedLogin[]> {
    const rows = await this.transactions.query<ChatLoginRow>(
      `UPDATE chat_logins SET lapsed_at = :now WHERE ${this.among('id')} AND lapsed_at IS NULL RETURNING *`,
      { ids: toList(ids), now },
    );
    return rows.map(toRemembered).sort((a, b) => a.id - b.id);
  }

  /** Logins in the order of their ids. */
  async after(id: number, limit: number): Promise<RememberedLogin[]> {
    const rows = await this.transactions.query<ChatLoginRow>(
      'SELECT * FROM chat_logins WHERE id > :id ORDER BY id LIMIT :limit',
      { id, limit },
    );
    return rows.map(toRemembered);
  }

  private async remove(
    condition: string,
    parameters: Readonly<Record<string, unknown>>,
  ): Promise<RememberedLogin[]> {
    const rows = await this.transactions.query<ChatLoginRow>(
      `DELETE FROM chat_logins WHERE ${condition} RETURNING *`,
      parameters,
    );
    return rows.map(toRemembered).sort((a, b) => a.id - b.id);
  }

  private among(column: string): string {
    return isAmongIds(this.transactions.dialect, column);
  }
}

function toRemembered(row: ChatLoginRow): RememberedLogin {
  return {
    id: row.id,
    chatClientId: row.chat_client_id,
    applicationId: row.application_id,
    userId: row.user_id,
    sessionId: row.session_id === PASSWORD ? null : row.session_id,
    userName: row.user_name,
    domain: row.domain === '' ? null : row.domain,
    endsAt: row.ends_at,
    isLapsed: row.lapsed_at !== null,
  };
}
