import type { Actor } from '../observability/request-context.js';
import type { AuditAct, AuditDetails } from './audit-acts.js';

export type AuditOutcome = 'done' | 'refused';

/** What happened. Who did it and from where is known from the request or command that it is part of. */
export interface AuditEvent {
  readonly act: AuditAct;
  readonly applicationId?: number | null;
  /** On whom; the actor may be somebody else. */
  readonly userId?: number | null;
  readonly sessionId?: number | null;
  /** `done` where nothing else is said. */
  readonly outcome?: AuditOutcome;
  /** Why, as a stable word. */
  readonly reason?: string;
  readonly details?: AuditDetails;
  /** When the acting party is not the one of the request's context. */
  readonly actor?: Actor;
}

/** One act, as it stays. */
export interface AuditEntry {
  readonly id: number;
  readonly at: number;
  readonly actor: Actor;
  readonly act: AuditAct;
  readonly applicationId: number | null;
  readonly userId: number | null;
  readonly sessionId: number | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly outcome: AuditOutcome;
  readonly reason: string | null;
  readonly details: AuditDetails;
}

/** Which entries to read, oldest first. */
export interface AuditQuery {
  /** Only entries that come after this one. */
  readonly afterId?: number;
  readonly limit: number;
  readonly applicationId?: number;
  /** From this instant on. */
  readonly since?: number;
  /** Before this instant. */
  readonly until?: number;
}
