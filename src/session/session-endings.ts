import { Injectable } from '@nestjs/common';
import type { SessionEndReason } from '../events/session-words.js';

/** Why what was opened with a session is over: somebody ended it, or it stands for something else now. */
export type SessionOverReason = SessionEndReason | 'signed_out' | 'signed_over' | 'user_deleted';

/** What is over by the transaction under way. */
export type SessionsOver =
  | {
      readonly what: 'sessions';
      readonly applicationId: number;
      readonly sessionIds: readonly number[];
      /** Whose they still are: only what others opened with them is over. Null: nobody's. */
      readonly stillOf: number | null;
      readonly reason: SessionOverReason;
    }
  | {
      readonly what: 'user';
      readonly applicationId: number;
      readonly userId: number;
      /** The one session of the user that goes on. */
      readonly exceptSessionId: number | null;
      readonly reason: SessionOverReason;
    }
  | {
      /** Too many to name: every session of the application up to this id. */
      readonly what: 'application';
      readonly applicationId: number;
      readonly upToSessionId: number;
      readonly reason: 'application_ended';
    };

/**
 * Does what follows from an end of sessions, in the transaction that ends them: on the database alone, in few
 * statements, and only after the sessions' rows are written, so that their locks are held. What it throws undoes the
 * end.
 */
export type SessionEndingHook = (over: SessionsOver) => Promise<void>;

/**
 * Tells the features above about ends of sessions that somebody brought about, as they happen and not afterwards: what
 * they store for it is stored if the end is, whatever becomes of this process. Idling and age are nobody's act, and
 * not told.
 */
@Injectable()
export class SessionEndings {
  private readonly hooks: SessionEndingHook[] = [];

  /** For a module's constructor. */
  register(hook: SessionEndingHook): void {
    this.hooks.push(hook);
  }

  /** To be called inside the transaction, once the rows are written. */
  async announce(over: SessionsOver): Promise<void> {
    for (const hook of this.hooks) await hook(over);
  }
}
