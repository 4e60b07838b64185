import type { ApplicationSettings } from '../../applications/application-settings.js';
import { absoluteEnd, type Session } from '../session.js';

/**
 * How long a refresh token that was used may be used again, for the same answer, and the access token beside it still
 * works: answers get lost, and pages refresh in parallel.
 */
export const REFRESH_GRACE_MILLISECONDS = 10_000;

/** A refresh token as stored, with the session it belongs to. */
export interface StoredRefreshToken {
  /** Of the access token that was issued with it. */
  readonly accessTokenHash: string;
  readonly usedAt: number | null;
  readonly session: Session;
  /** Somebody ended the session. */
  readonly isRevoked: boolean;
}

export type RefreshDecision =
  /** First use: the next generation begins. */
  | 'rotate'
  /** Used a moment ago: the same answer again. */
  | 'repeat'
  /** Used long ago, so that one of its two holders is a thief: the family ends (RFC 9700 §4.14.2). */
  | 'replayed'
  | 'revoked'
  | 'expired';

/**
 * When the refresh tokens of a session end. A session that idled out can be revived until then. Sessions without an
 * absolute end (guests) can be for as long after their last use as others live at most.
 */
export function refreshEnd(session: Session, settings: ApplicationSettings): number {
  return absoluteEnd(session, settings) ?? session.lastUsedAt + settings.session_absolute_seconds * 1000;
}

/**
 * What to do with a refresh token that was presented.
 *
 * @param sessionsEndedUpTo the application's mark. @param now milliseconds since the epoch.
 */
export function decideRefresh(
  stored: StoredRefreshToken,
  settings: ApplicationSettings,
  sessionsEndedUpTo: number,
  now: number,
): RefreshDecision {
  const { session, usedAt } = stored;
  const isOver = stored.isRevoked || session.id <= sessionsEndedUpTo || session.kind !== 'user';
  if (isOver || !settings.refresh_tokens) return 'revoked';
  if (now >= refreshEnd(session, settings)) return 'expired';
  if (usedAt !== null) return now - usedAt <= REFRESH_GRACE_MILLISECONDS ? 'repeat' : 'replayed';
  // The session was given another token by something else than a refresh: a sign-in or a sign-out.
  return session.tokenHash === stored.accessTokenHash ? 'rotate' : 'revoked';
}
