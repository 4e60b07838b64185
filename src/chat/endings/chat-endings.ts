import { Injectable } from '@nestjs/common';
import { Outbox } from '../../outbox/outbox.js';
import type { SessionsOver } from '../../session/session-endings.js';
import { Clock } from '../../time/clock.js';
import { applicationEnded } from './application-ended.topic.js';
import { chatDrops } from './chat-drop.js';
import type { RememberedLogin } from './chat-login.js';
import { ChatLoginRepository } from './chat-login.repository.js';
import { ChatLogins } from './chat-logins.js';
import { userDisabled } from './user-disabled.topic.js';

/** After these the account's password is another one, or opens nothing any more. */
const PASSWORD_OVER: ReadonlySet<string> = new Set(['password_changed', 'user_disabled', 'user_deleted']);

/**
 * Ends the chats of sessions that are ended. What is to be dropped is stored in the transaction of the end; where nobody
 * was let into a chat, that is one statement that finds nothing.
 */
@Injectable()
export class ChatEndings {
  constructor(
    private readonly rows: ChatLoginRepository,
    private readonly logins: ChatLogins,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** A `SessionEndingHook`. */
  async onSessionsOver(over: SessionsOver): Promise<void> {
    if (over.what === 'application') {
      await this.outbox.add([applicationEnded(over.applicationId, over.upToSessionId)]);
      return;
    }
    const removed = await this.remove(over);
    this.logins.forget(sessionsOf(over, removed));
    await this.outbox.add(chatDrops(removed, over.reason, this.clock.now()));
    if (over.reason === 'user_disabled' && over.what === 'user') {
      await this.outbox.add([userDisabled(over.applicationId, over.userId)]);
    }
  }

  private remove(over: Exclude<SessionsOver, { what: 'application' }>): Promise<RememberedLogin[]> {
    if (over.what === 'sessions') return this.rows.removeOfSessions(over.sessionIds, over.stillOf);
    const { userId, exceptSessionId, reason } = over;
    return this.rows.removeOfUser(userId, { exceptSessionId, withPassword: PASSWORD_OVER.has(reason) });
  }
}

function sessionsOf(
  over: Exclude<SessionsOver, { what: 'application' }>,
  removed: readonly RememberedLogin[],
): number[] {
  const found = removed.flatMap(({ sessionId }) => sessionId ?? []);
  return over.what === 'sessions' ? [...over.sessionIds, ...found] : found;
}
