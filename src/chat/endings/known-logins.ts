import { LRUCache } from 'lru-cache';
import type { SessionLogin } from './chat-login.js';

/** A session opens chats at few servers and under few names; with more, it is asked of the database each time. */
const MAX_PER_SESSION = 16;

/**
 * Logins with sessions whose rows were there when they were last written, in memory, bounded. Nothing rests on it being
 * complete. That it is right rests on this: while a session has the token and the sign-in that it had then, its row is
 * removed only by an end of the session for good, after which nobody is let in with it; and ends that this process brings about
 * are forgotten here at once.
 */
export class KnownLogins {
  private readonly bySession: LRUCache<number, SessionLogin[]>;

  constructor(maxSessions: number) {
    this.bySession = new LRUCache({ max: maxSessions });
  }

  /** Asked at every check of a chat server: compares, and builds nothing. */
  has(login: SessionLogin): boolean {
    const known = this.bySession.get(login.session.id);
    if (known === undefined) return false;
    for (const one of known) if (isSame(one, login)) return true;
    return false;
  }

  add(login: SessionLogin): void {
    const { chatClientId, applicationId, userId, userName, domain, credentialVersion } = login;
    const { id, tokenHash, startedAt } = login.session;
    const session = { id, tokenHash, startedAt };
    const kept = { chatClientId, applicationId, userId, userName, domain, credentialVersion, session };
    const known = this.bySession.get(id);
    if (known && known.length < MAX_PER_SESSION) known.push(kept);
    else this.bySession.set(id, [kept]);
  }

  forget(sessionId: number): void {
    this.bySession.delete(sessionId);
  }
}

function isSame(one: SessionLogin, other: SessionLogin): boolean {
  return (
    one.chatClientId === other.chatClientId &&
    one.session.tokenHash === other.session.tokenHash &&
    one.session.startedAt === other.session.startedAt &&
    one.userId === other.userId &&
    one.userName === other.userName &&
    one.domain === other.domain
  );
}
