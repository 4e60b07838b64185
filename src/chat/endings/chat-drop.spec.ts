import { describe, expect, it } from '@jest/globals';
import { chatDrops, chatDropSchema, ONCE_MORE_AFTER_MILLISECONDS, type ChatDrop } from './chat-drop.js';
import type { RememberedLogin } from './chat-login.js';

const NOW = Date.UTC(2026, 0, 1);

let count = 0;
const aLogin = (facts: Partial<RememberedLogin> = {}): RememberedLogin => ({
  id: (count += 1),
  chatClientId: 1,
  applicationId: 7,
  userId: 42,
  sessionId: 100,
  userName: '42-7',
  domain: null,
  endsAt: null,
  isLapsed: false,
  ...facts,
});

/** What is dropped at once; all of it is dropped again later. */
const atOnce = (
  ...[logins, reason]: [readonly RememberedLogin[], Parameters<typeof chatDrops>[1]]
): ChatDrop[] => {
  const messages = chatDrops(logins, reason, NOW);
  const due = (at: number) => messages.filter(({ dueAt }) => dueAt === at).map(({ payload }) => payload);
  expect(due(NOW + ONCE_MORE_AFTER_MILLISECONDS)).toEqual(due(NOW));
  expect(messages).toHaveLength(2 * due(NOW).length);
  return due(NOW).map((payload) => chatDropSchema.parse(payload));
};

describe(chatDrops.name, () => {
  it('is nothing for nobody', () => {
    expect(chatDrops([], 'ended', NOW)).toEqual([]);
  });

  it('names what opened the connections of a user at a server, together', () => {
    const logins = [aLogin({ sessionId: 1 }), aLogin({ sessionId: 2 }), aLogin({ sessionId: null })];
    expect(atOnce(logins, 'password_changed')).toEqual([
      {
        chat_client_id: 1,
        application_id: 7,
        user_id: 42,
        user_name: '42-7',
        domain: null,
        session_ids: [1, 2],
        with_password: true,
        whole_user: false,
        reason: 'password_changed',
      },
    ]);
  });

  it('is told to each server and each virtual host by itself', () => {
    const logins = [
      aLogin(),
      aLogin({ chatClientId: 2 }),
      aLogin({ domain: 'chat.local' }),
      aLogin({ userId: 43 }),
    ];
    expect(atOnce(logins, 'ended')).toHaveLength(4);
    expect(new Set(chatDrops(logins, 'ended', NOW).map(({ target }) => target))).toEqual(
      new Set(['chat-client:1', 'chat-client:2']),
    );
  });

  it.each(['user_disabled', 'user_deleted'] as const)(
    'is of everything the user has when they are %s',
    (reason) => {
      expect(atOnce([aLogin()], reason)).toMatchObject([{ whole_user: true, session_ids: [100] }]);
    },
  );

  it('names twenty sessions in a message at most, and the password in one', () => {
    const logins = Array.from({ length: 45 }, (_, i) => aLogin({ sessionId: i + 1 }));
    const drops = atOnce([...logins, aLogin({ sessionId: null })], 'password_changed');
    expect(drops.map(({ session_ids, with_password }) => [session_ids.length, with_password])).toEqual([
      [20, true],
      [20, false],
      [5, false],
    ]);
    expect(drops.flatMap(({ session_ids }) => session_ids)).toEqual(logins.map(({ sessionId }) => sessionId));
  });

  it('is told of the password alone, too', () => {
    expect(atOnce([aLogin({ sessionId: null })], 'password_changed')).toMatchObject([
      { session_ids: [], with_password: true },
    ]);
  });
});
