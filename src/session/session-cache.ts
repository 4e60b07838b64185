import { LRUCache } from 'lru-cache';
import type { Session } from './session.js';

type Load = () => Promise<Session | null>;

interface Reading {
  readonly found: Promise<Session | null>;
  /** By the monotonic clock. */
  readonly startedAt: number;
}

/**
 * The facts of sessions in use, by token hash, bounded. Holds nothing that the database does not say: an entry is
 * dropped before the revocation that concerns it is answered, and a read that was under way at that moment is not kept.
 */
export class SessionCache {
  private readonly sessions: LRUCache<string, Session>;
  private readonly loading = new Map<string, Reading>();

  constructor(maxEntries: number) {
    this.sessions = new LRUCache({ max: maxEntries });
  }

  get size(): number {
    return this.sessions.size;
  }

  peek(tokenHash: string): Session | undefined {
    return this.sessions.get(tokenHash);
  }

  /**
   * Reads the session and keeps it. Callers that ask while it is being read share one read, unless that began more
   * than `sharedFor` milliseconds ago: what it finds may be older than anybody may go by. What `load` throws is not
   * kept.
   *
   * @param now by the monotonic clock.
   */
  read(tokenHash: string, now: number, sharedFor: number, load: Load): Promise<Session | null> {
    const underWay = this.loading.get(tokenHash);
    if (underWay && now - underWay.startedAt <= sharedFor) return underWay.found;
    // Gone from the map, or another one there: the session was dropped after this read began, and what it found may
    // be from before.
    const isCurrent = () => this.loading.get(tokenHash) === reading;
    const found = load().then(
      (session) => {
        if (!isCurrent()) return session;
        this.loading.delete(tokenHash);
        if (session) this.sessions.set(tokenHash, session);
        return session;
      },
      (error: unknown) => {
        if (isCurrent()) this.loading.delete(tokenHash);
        throw error;
      },
    );
    const reading: Reading = { found, startedAt: now };
    this.loading.set(tokenHash, reading);
    return found;
  }

  drop(tokenHash: string): void {
    this.loading.delete(tokenHash);
    this.sessions.delete(tokenHash);
  }

  /** Drops everything, and lets no read that is under way be kept. */
  clear(): void {
    this.loading.clear();
    this.sessions.clear();
  }
}
