import type { Application } from '../../applications/application.js';
import { refreshEnd } from '../refresh/refresh.js';
import { sessionEnd, type Session } from '../session.js';

/** What has to be known of a session before anything of it may be removed. */
export interface EndedOrNot {
  readonly session: Session;
  /** When somebody ended it. */
  readonly endedAt: number | null;
}

/**
 * Whether a session was over at the instant `asOf` in such a way that nothing brings it back: neither a use nor a
 * refresh. Purges remove nothing else. To keep sessions for a while after their end, judge as of that while ago.
 *
 * @param hasLiveToken whether it has a refresh token that was not used yet; one of these revives an idle session.
 */
export function isOverForGood(
  { session, endedAt }: EndedOrNot,
  application: Pick<Application, 'settings' | 'sessionsEndedUpTo'>,
  hasLiveToken: boolean,
  asOf: number,
): boolean {
  if (endedAt !== null) return endedAt <= asOf;
  // When the mark was moved past it is not recorded, but the session was not used afterwards.
  if (session.id <= application.sessionsEndedUpTo) return session.lastUsedAt <= asOf;
  const end = sessionEnd(session, application.settings, asOf);
  if (end !== 'idle' || !hasLiveToken) return end !== null;
  return asOf >= refreshEnd(session, application.settings);
}
