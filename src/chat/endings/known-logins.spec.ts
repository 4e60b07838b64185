import { describe, expect, it } from '@jest/globals';
import type { ChatLogin, ChatSession, SessionLogin } from './chat-login.js';
import { KnownLogins } from './known-logins.js';

const SESSION: ChatSession = { id: 100, tokenHash: 'hash', startedAt: 1 };

const aLogin = (facts: Partial<ChatLogin> = {}, session: Partial<ChatSession> = {}): SessionLogin => ({
  chatClientId: 1,
  applicationId: 7,
  userId: 42,
  credentialVersion: null,
  userName: '42-7',
  domain: null,
  ...facts,
  session: { ...SESSION, ...session },
});

describe(KnownLogins.name, () => {
  it('knows a login again, and no other one', () => {
    const known = new KnownLogins(10);
    known.add(aLogin());
    expect(known.has(aLogin())).toBe(true);
    const others = [
      aLogin({ chatClientId: 2 }),
      aLogin({ userName: '42-7@chat.local' }),
      aLogin({ domain: 'chat.local' }),
      aLogin({ userId: 43 }),
      aLogin({}, { id: 101 }),
      aLogin({}, { tokenHash: 'of the next generation' }),
      aLogin({}, { startedAt: 2 }),
    ];
    expect(others.map((login) => known.has(login))).toEqual(others.map(() => false));
  });

  it('forgets everything that a session opened, and nothing else', () => {
    const known = new KnownLogins(10);
    for (const login of [aLogin(), aLogin({ chatClientId: 2 }), aLogin({}, { id: 101 })]) known.add(login);
    known.forget(100);
    expect([
      known.has(aLogin()),
      known.has(aLogin({ chatClientId: 2 })),
      known.has(aLogin({}, { id: 101 })),
    ]).toEqual([false, false, true]);
  });

  it('forgets the sessions that were used least recently, and names of one session that has too many', () => {
    const known = new KnownLogins(2);
    for (const id of [1, 2, 3]) known.add(aLogin({}, { id }));
    expect([1, 2, 3].map((id) => known.has(aLogin({}, { id })))).toEqual([false, true, true]);
    for (let n = 0; n <= 16; n += 1) known.add(aLogin({ domain: `${n}` }));
    expect([known.has(aLogin({ domain: '0' })), known.has(aLogin({ domain: '16' }))]).toEqual([false, true]);
  });
});
