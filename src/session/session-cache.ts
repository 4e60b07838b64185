import { LRUCache } from 'lru-cache';
import type { Session } from './session.js';

type Load = () => Promise<Session | null>;

/**
 * The facts of sessions in use, by token hash, bounded. Holds nothing that the database does not say: an entry is
 * dropped before the revocation that concerns it is answered, and a read that was under way at that moment is not kept.
 */
export class SessionCache {
  private readonly sessions: LRUCache<string, Session>;
  private readonly loading = new Map<string, Promise<Session | null>>();

  constructor(maxEntries: number) {
    this.sessions = new LRUCache({ max: maxEntries });
  }

  get size(): number {
    return this.sessions.size;
  }

  peek(tokenHash: string): Session | undefined {
    return this.sessions.get(tokenHash);
  }

  /** Reads the session and keeps it, one read at a time for each hash. What `load` throws is not kept. */
  read(tokenHash: string, load: Load): Promise<Session | null> {
    const underWay = this.loading.get(tokenHash);
    if (underWay) return underWay;
    const reading: Promise<Session | null> = load().then(
      (session) => {
        // Gone from the map: the session was dropped after this read began, and what it found may be from before.
        const isCurrent = this.loading.get(tokenHash) === reading;
        if (isCurrent) this.loading.delete(tokenHash);
        if (isCurrent && session) this.sessions.set(tokenHash, session);
        return session;
      },
      (error: unknown) => {
        if (this.loading.get(tokenHash) === reading) this.loading.delete(tokenHash);
        throw error;
      },
    );
    this.loading.set(tokenHash, reading);
    return reading;
  }

  drop(tokenHash: string): void {
    this.loading.delete(tokenHash);
    this.sessions.delete(tokenHash);
  }
}
