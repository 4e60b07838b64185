import { LRUCache } from 'lru-cache';
import type { ChatLogin, ChatSession } from './chat-login.js';

/** A session opens chats at few servers and under few names; with more, it is asked of the database each time. */
const MAX_PER_SESSION = 16;

/**
 * Logins with sessions whose rows were there when they were last written, in memory, bounded. Nothing rests on it being
 * complete. That it is right rests on this: while a session has the token and the sign-in that it had then, its row is
 * removed only by an end of the session, after which nobody is let in with it; and ends that this process brings about
 * are forgotten here at once.
 */
export class KnownLogins {
  private readonly bySession: LRUCache<number, Set<string>>;

  constructor(maxSessions: number) {
    this.bySession = new LRUCache({ max: maxSessions });
  }

  has(login: ChatLogin & { readonly session: ChatSession }): boolean {
    return this.bySession.get(login.session.id)?.has(keyOf(login)) ?? false;
  }

  add(login: ChatLogin & { readonly session: ChatSession }): void {
    const known = this.bySession.get(login.session.id);
    if (known && known.size < MAX_PER_SESSION) known.add(keyOf(login));
    else this.bySession.set(login.session.id, new Set([keyOf(login)]));
  }

  forget(sessionId: number): void {
    this.bySession.delete(sessionId);
  }
}

/** Names hold no line breaks: the rule has judged them before. */
function keyOf(login: ChatLogin & { readonly session: ChatSession }): string {
  const { session, chatClientId, userId, userName, domain } = login;
  return [session.tokenHash, session.startedAt, chatClientId, userId, userName, domain ?? ''].join('\n');
}
