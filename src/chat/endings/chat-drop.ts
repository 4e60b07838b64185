import { z } from 'zod';
import type { NewMessage } from '../../outbox/outbox-message.js';
import type { SessionOverReason } from '../../session/session-endings.js';
import type { RememberedLogin } from './chat-login.js';

export const CHAT_DROP = 'chat.drop';

/** Why a chat is over: an end that somebody brought about, or a limit of its session. */
export type ChatOverReason = SessionOverReason | 'expired' | 'idle';

const id = z.int().positive();

/** One user's connections at one chat server that are to be ended. What the outbox keeps of it holds no secret. */
export const chatDropSchema = z.strictObject({
  chat_client_id: id,
  application_id: id,
  user_id: id,
  user_name: z.string(),
  domain: z.string().nullable(),
  /** What opened them. */
  session_ids: z.array(id),
  /** Also those that were opened with the account's password. */
  with_password: z.boolean(),
  /** Nothing of the user's goes on: all their connections, whatever opened them. */
  whole_user: z.boolean(),
  reason: z.string(),
});

export type ChatDrop = z.infer<typeof chatDropSchema>;

/** What one message names: each becomes a webhook of its own, and all of them have one deadline. */
const MAX_SESSIONS = 20;

/**
 * Another process may go by what it has in memory for so long (two seconds, as stated for all revocations), and let
 * somebody in with a session that is over. So whatever is ended is ended once more when that is past, with room for an
 * answer that was on its way.
 */
export const ONCE_MORE_AFTER_MILLISECONDS = 4000;

/** Reasons for which nothing of the user's goes on. */
const WHOLE_USER: ReadonlySet<ChatOverReason> = new Set<ChatOverReason>(['user_disabled', 'user_deleted']);

/** The messages that end what these logins opened: at once, and once more. */
export function chatDrops(
  logins: readonly RememberedLogin[],
  reason: ChatOverReason,
  now: number,
): NewMessage[] {
  const drops = [...byUser(logins).values()].flatMap((group) => dropsOf(group, reason));
  return [now, now + ONCE_MORE_AFTER_MILLISECONDS].flatMap((dueAt) =>
    drops.map((drop) => ({
      topic: CHAT_DROP,
      target: chatClientTarget(drop.chat_client_id),
      payload: drop,
      dueAt,
    })),
  );
}

export function chatClientTarget(chatClientId: number): string {
  return `chat-client:${chatClientId}`;
}

function byUser(logins: readonly RememberedLogin[]): Map<string, RememberedLogin[]> {
  const groups = new Map<string, RememberedLogin[]>();
  for (const login of logins) {
    const key = [login.chatClientId, login.userId, login.userName, login.domain ?? ''].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), login]);
  }
  return groups;
}

/** @param group logins of one user at one server; at least one. */
function dropsOf(group: readonly RememberedLogin[], reason: ChatOverReason): ChatDrop[] {
  const { chatClientId, applicationId, userId, userName, domain } = group[0]!;
  const drop = {
    chat_client_id: chatClientId,
    application_id: applicationId,
    user_id: userId,
    user_name: userName,
    domain,
    with_password: group.some(({ sessionId }) => sessionId === null),
    whole_user: WHOLE_USER.has(reason),
    reason,
  };
  const sessionIds = group.flatMap(({ sessionId }) => sessionId ?? []);
  const drops: ChatDrop[] = [];
  for (let from = 0; from === 0 || from < sessionIds.length; from += MAX_SESSIONS) {
    // The password's connections go with the first.
    const with_password = drop.with_password && from === 0;
    drops.push({ ...drop, with_password, session_ids: sessionIds.slice(from, from + MAX_SESSIONS) });
  }
  return drops;
}
