import { createHash, randomBytes } from 'node:crypto';
import type { BenchDatabase, Row } from './bench-database.js';

const HOUR_MILLISECONDS = 3_600_000;
const IDLE_SECONDS = 7200;
const ABSOLUTE_MILLISECONDS = 30 * 24 * HOUR_MILLISECONDS;
const PAUSE_MILLISECONDS = 600_000;

/**
 * Stores user sessions as password sign-ins an hour ago would have, two for each user, in bulk and past Ostiary.
 *
 * @returns their access tokens in random order: a server sees its clients in no order either.
 */
export async function storeSessions(
  database: BenchDatabase,
  applicationId: number,
  count: number,
): Promise<string[]> {
  const startedAt = Date.now() - HOUR_MILLISECONDS;
  const users = Array.from({ length: Math.ceil(count / 2) }, (_, index) => ({
    ...nobody,
    application_id: applicationId,
    login: `bench-${index}`,
    login_key: `bench-${index}`,
    created_at: startedAt,
    updated_at: startedAt,
    last_request_at: startedAt,
  }));
  await database.insert('users', users);
  const ids = await database.query<{ id: number }>('SELECT id FROM users');
  // Who signs in next is no matter of who signed up first.
  const owners = shuffled([...ids, ...ids]);
  const tokens = Array.from({ length: count }, () => `osta_${randomBytes(32).toString('base64url')}`);
  const sessions = tokens.map((token, index): Row => ({
    application_id: applicationId,
    user_id: owners[index]!.id,
    kind: 'user',
    provider: 'password',
    amr: '["pwd"]',
    auth_time: startedAt,
    token_hash: hashOf(token),
    created_at: startedAt,
    started_at: startedAt,
    last_used_at: startedAt,
    idle_seconds: IDLE_SECONDS,
    absolute_expires_at: startedAt + ABSOLUTE_MILLISECONDS,
    ended_at: null,
    end_reason: null,
  }));
  await database.insert('sessions', sessions);
  return shuffled(tokens);
}

/**
 * Gives every stored session a refresh token that nobody has used.
 *
 * @param accessTokens of the sessions. @returns the refresh tokens.
 */
export async function storeRefreshTokens(
  database: BenchDatabase,
  accessTokens: readonly string[],
): Promise<string[]> {
  const rows = await database.query<{ id: number | string; token_hash: string }>(
    'SELECT id, token_hash FROM sessions',
  );
  const ids = new Map(rows.map(({ id, token_hash }) => [token_hash, Number(id)]));
  const stored = accessTokens.map((accessToken) => {
    const accessTokenHash = hashOf(accessToken);
    const token = `ostr_${randomBytes(32).toString('base64url')}`;
    const row: Row = {
      token_hash: hashOf(token),
      access_token_hash: accessTokenHash,
      session_id: ids.get(accessTokenHash)!,
      created_at: Date.now() - HOUR_MILLISECONDS,
      used_at: null,
    };
    return { token, row };
  });
  await database.insert(
    'refresh_tokens',
    stored.map(({ row }) => row),
  );
  await database.settle();
  return stored.map(({ token }) => token);
}

/** Sets the clocks so that every other session has paused for ten minutes and the rest is in use. */
export async function pauseHalf(database: BenchDatabase): Promise<void> {
  const now = Date.now();
  const paused = now - PAUSE_MILLISECONDS;
  await database.query(
    `UPDATE sessions SET last_used_at = CASE WHEN id % 2 = 0 THEN ${paused} ELSE ${now} END`,
  );
  await database.query(`UPDATE users SET last_request_at = ${paused}`);
  await database.settle();
}

/** How many sessions have a recorded use since then. */
export async function usedSince(database: BenchDatabase, instant: number): Promise<number> {
  const rows = await database.query<{ used: number | string }>(
    `SELECT count(*) AS used FROM sessions WHERE last_used_at >= ${instant}`,
  );
  return Number(rows[0]!.used);
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

const nobody = {
  email_verified: false,
  phone_verified: false,
  credential_version: 1,
  guest: false,
  disabled: false,
};

function shuffled<T>(items: readonly T[]): T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const other = Math.floor(Math.random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
}
