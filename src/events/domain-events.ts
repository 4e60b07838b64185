import { EventEmitter } from 'node:events';
import type { SessionEndReason, SessionKind } from './session-words.js';

/**
 * What happened, for whoever counts, logs or reacts. Emitted after the commit that made it true; carries ids
 * and words, never a token, an address or a name.
 */
export interface DomainEventMap {
  'session.begun': { applicationId: number; kind: SessionKind; provider: string | null };
  'session.ended': { applicationId: number; reason: SessionEndReason; count: number };
  /** A token was presented that begins nothing any more; one word for the metrics, one answer to all clients. */
  'session.refused': { reason: 'unknown' | 'revoked' | 'expired' };
  'session.refreshed': { outcome: RefreshOutcome };
  'user.created': { applicationId: number; userId: number; guest: boolean };
  /** A chat server was answered; `throttled` is a no as well. */
  'chat.checked': { adapter: string; verdict: ChatOutcome };
  'sign-in.refused': { applicationId: number; provider: string; reason: SignInRefusal };
}

export type SignInRefusal =
  | 'unknown_user'
  | 'wrong_password'
  | 'no_password'
  | 'disabled'
  | 'throttled'
  | 'refused_by_provider'
  | 'refused_by_policy';

/** `rotated` and `repeated` gave tokens, all others none; `replayed` ended the session. */
export type RefreshOutcome = 'rotated' | 'repeated' | 'replayed' | 'revoked' | 'expired' | 'unknown';

export type ChatOutcome = 'allow' | 'deny' | 'throttled' | 'undecided';

type Listener<K extends keyof DomainEventMap> = (event: DomainEventMap[K]) => void;

/** A typed bus inside one process. Listeners run at once and must not throw or wait. */
export class DomainEvents {
  private readonly emitter = new EventEmitter();

  emit<K extends keyof DomainEventMap>(name: K, event: DomainEventMap[K]): void {
    this.emitter.emit(name, event);
  }

  on<K extends keyof DomainEventMap>(name: K, listener: Listener<K>): void {
    this.emitter.on(name, listener);
  }
}
