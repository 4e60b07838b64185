import { Injectable } from '@nestjs/common';
import type { SessionEndReason } from '../events/session-words.js';
import { isAmongIds, pairsTable, toList, toPairs } from '../persistence/pairs.js';
import { Transactions } from '../persistence/transactions.js';
import type { SessionRow } from './session.entity.js';
import type { Session } from './session.js';

/** A session as stored, with how it was ended if it was. */
export interface StoredSession {
  readonly session: Session;
  readonly endReason: SessionEndReason | null;
}

export interface Touch {
  readonly sessionId: number;
  readonly at: number;
}

/** Keeps sessions. What lives is judged elsewhere; here a session is over when somebody ended it. */
@Injectable()
export class SessionRepository {
  constructor(private readonly transactions: Transactions) {}

  /** @returns the id it was given. */
  async insert(session: Omit<Session, 'id'>): Promise<number> {
    const values = { ...columnsOf(session), created_at: session.createdAt };
    const rows = await this.transactions.query<{ id: number }>(INSERT, values);
    return rows[0]!.id;
  }

  /** The hot read: one statement on a unique index. */
  async findByTokenHash(hash: string): Promise<StoredSession | null> {
    const rows = await this.transactions.query<SessionRow>(FIND_BY_TOKEN_HASH, { hash });
    return rows[0] ? { session: toSession(rows[0]), endReason: rows[0].end_reason } : null;
  }

  /** The session, which nobody changes until the transaction ends. */
  async findHeld(id: number): Promise<StoredSession | null> {
    // SQLite has one writer at a time anyway.
    const lock = this.transactions.dialect === 'postgres' ? 'FOR SHARE' : '';
    const rows = await this.transactions.query<SessionRow>(`SELECT * FROM sessions WHERE id = :id ${lock}`, {
      id,
    });
    return rows[0] ? { session: toSession(rows[0]), endReason: rows[0].end_reason } : null;
  }

  /** Those of the sessions that are there, ended or not. */
  async findAll(ids: readonly number[]): Promise<StoredSession[]> {
    const rows = await this.transactions.query<SessionRow>(
      `SELECT * FROM sessions WHERE ${isAmongIds(this.transactions.dialect, 'id')}`,
      { ids: toList(ids) },
    );
    return rows.map((row) => ({ session: toSession(row), endReason: row.end_reason }));
  }

  /**
   * Gives a living session new facts, the token's among them.
   *
   * @returns false when it is over, or its token is not `tokenHash` any more: somebody was first.
   */
  async replace(id: number, tokenHash: string, session: Omit<Session, 'id'>): Promise<boolean> {
    const rows = await this.transactions.query(REPLACE, {
      ...columnsOf(session),
      id,
      presentHash: tokenHash,
    });
    return rows.length === 1;
  }

  /**
   * Gives a living session the next token, as a use of it.
   *
   * @returns false when it is over, or its token is not `presentHash` any more: somebody was first.
   */
  async rotate(id: number, presentHash: string, nextHash: string, now: number): Promise<boolean> {
    const rows = await this.transactions.query(
      `UPDATE sessions SET token_hash = :nextHash, last_used_at = :now
       WHERE id = :id AND token_hash = :presentHash AND ended_at IS NULL RETURNING id`,
      { id, presentHash, nextHash, now },
    );
    return rows.length === 1;
  }

  /** @returns the hash of the token that is now worthless, or null when the session was over before. */
  async end(id: number, reason: SessionEndReason, now: number): Promise<string | null> {
    const rows = await this.transactions.query<{ token_hash: string }>(
      `UPDATE sessions SET ended_at = :now, end_reason = :reason WHERE id = :id AND ended_at IS NULL RETURNING token_hash`,
      { id, reason, now },
    );
    return rows[0]?.token_hash ?? null;
  }

  /** As `end`, for one session of this user. */
  async endOfUser(userId: number, id: number, reason: SessionEndReason, now: number): Promise<string | null> {
    const rows = await this.transactions.query<{ token_hash: string }>(
      `UPDATE sessions SET ended_at = :now, end_reason = :reason
       WHERE id = :id AND user_id = :userId AND ended_at IS NULL RETURNING token_hash`,
      { id, userId, reason, now },
    );
    return rows[0]?.token_hash ?? null;
  }

  /** Ends every living session of the user but one. @returns the hashes of their tokens. */
  async endAllOfUser(userId: number, reason: SessionEndReason, now: number, exceptId = 0): Promise<string[]> {
    const rows = await this.transactions.query<{ token_hash: string }>(
      `UPDATE sessions SET ended_at = :now, end_reason = :reason
       WHERE user_id = :userId AND id <> :exceptId AND ended_at IS NULL RETURNING token_hash`,
      { userId, exceptId, reason, now },
    );
    return rows.map((row) => row.token_hash);
  }

  /** Sessions of the user that nobody ended, newest first, with ids below `beforeId`. */
  async listOfUser(userId: number, beforeId: number, limit: number): Promise<Session[]> {
    const rows = await this.transactions.query<SessionRow>(
      `SELECT * FROM sessions WHERE user_id = :userId AND id < :beforeId AND ended_at IS NULL
       ORDER BY id DESC LIMIT :limit`,
      { userId, beforeId, limit },
    );
    return rows.map(toSession);
  }

  async lastId(): Promise<number> {
    const rows = await this.transactions.query<{ last: number | null }>(
      'SELECT max(id) AS last FROM sessions',
    );
    return rows[0]?.last ?? 0;
  }

  /** Records uses, in one statement. Never moves a time back, and never touches a session that is over. */
  async touch(touches: readonly Touch[]): Promise<void> {
    const pairs = toPairs(touches.map(({ sessionId, at }) => ({ id: sessionId, at })));
    await this.transactions.runUnsynced(() =>
      this.transactions.query(
        `UPDATE sessions SET last_used_at = v.at FROM ${pairsTable(this.transactions.dialect)} v
         WHERE sessions.id = v.id AND sessions.ended_at IS NULL AND sessions.last_used_at < v.at`,
        { pairs },
      ),
    );
  }
}

/** One text for every session, so that it is prepared once. */
const INSERT = `
  INSERT INTO sessions (application_id, user_id, kind, provider, amr, auth_time, token_hash, created_at, started_at,
    last_used_at, idle_seconds, absolute_expires_at)
  VALUES (:application_id, :user_id, :kind, :provider, :amr, :auth_time, :token_hash, :created_at, :started_at,
    :last_used_at, :idle_seconds, :absolute_expires_at)
  RETURNING id`;

const FIND_BY_TOKEN_HASH = `
  SELECT id, application_id, user_id, kind, provider, amr, auth_time, token_hash, created_at, started_at, last_used_at,
         idle_seconds, absolute_expires_at, end_reason
  FROM sessions WHERE token_hash = :hash`;

const REPLACE = `
  UPDATE sessions SET user_id = :user_id, kind = :kind, provider = :provider, amr = :amr, auth_time = :auth_time,
    token_hash = :token_hash, started_at = :started_at, last_used_at = :last_used_at, idle_seconds = :idle_seconds,
    absolute_expires_at = :absolute_expires_at
  WHERE id = :id AND token_hash = :presentHash AND ended_at IS NULL RETURNING id`;

function columnsOf(session: Omit<Session, 'id' | 'createdAt'>) {
  return {
    application_id: session.applicationId,
    user_id: session.userId,
    kind: session.kind,
    provider: session.provider,
    amr: JSON.stringify(session.amr),
    auth_time: session.authTime,
    token_hash: session.tokenHash,
    started_at: session.startedAt,
    last_used_at: session.lastUsedAt,
    idle_seconds: session.idleSeconds,
    absolute_expires_at: session.absoluteExpiresAt,
  };
}

/** Words that thousands of sessions share are kept once: they stay in memory as long as the sessions do. */
const sharedWords = new Map<string, string>();
const sharedLists = new Map<string, readonly string[]>();
const MAX_SHARED = 1000;

function shared<T>(known: Map<string, T>, text: string, make: (text: string) => T): T {
  const found = known.get(text);
  if (found !== undefined) return found;
  const made = make(text);
  if (known.size < MAX_SHARED) known.set(text, made);
  return made;
}

/** For the repositories of this folder alone. */
export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    applicationId: row.application_id,
    kind: row.kind === 'user' ? 'user' : 'application',
    userId: row.user_id,
    provider: row.provider === null ? null : shared(sharedWords, row.provider, (word) => word),
    amr: shared(sharedLists, row.amr, (list) => JSON.parse(list) as string[]),
    authTime: row.auth_time,
    tokenHash: row.token_hash,
    createdAt: row.created_at,
    startedAt: row.started_at,
    lastUsedAt: row.last_used_at,
    idleSeconds: row.idle_seconds,
    absoluteExpiresAt: row.absolute_expires_at,
  };
}
