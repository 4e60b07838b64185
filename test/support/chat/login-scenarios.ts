import { expect, it } from '@jest/globals';
import type { ChatStage, ChatUser } from './chat-stage.js';
import type { Trouble } from './wayward-proxy.js';

interface Scenarios {
  readonly stage: () => ChatStage;
  /** Tries a login. @returns `in`, or the client's word for the refusal. */
  readonly login: (name: string, password: string) => Promise<string>;
  /** The client's word for what the server says to a stranger. */
  readonly refused: string;
  /** The word where the broker decided nothing, when that is another. */
  readonly undecided?: string;
}

const TROUBLES: readonly Trouble[] = ['status 500', 'status 503', 'page', 'hang up', 'hang', 'down'];

/** Who gets in at a chat server, and who must not, whatever becomes of the broker. */
export function itLetsInOnlyWhoMay({ stage, login, refused, undecided = refused }: Scenarios): void {
  const loginOf = ({ name }: ChatUser, { token }: { readonly token: string }) => login(name, token);

  it('lets a user in with the token of their session, again and again', async () => {
    const ada = await stage().user();
    expect(await loginOf(ada, ada)).toBe('in');
    expect(await loginOf(ada, ada)).toBe('in');
  });

  it('lets a user in with each of their sessions', async () => {
    const { app, application } = stage();
    const ada = await stage().user();
    const { login: name } = (await app.api.get<{ user: { login: string } }>('/v1/users/me', ada.token)).body
      .user;
    const { session } = await app.api.signIn(application, { login: name });
    expect(await loginOf(ada, session)).toBe('in');
    expect(await loginOf(ada, ada)).toBe('in');
  });

  it('refuses a wrong token, a token with something more, and none', async () => {
    const ada = await stage().user();
    const wrong = ada.token.slice(0, -4) + (ada.token.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    for (const token of [
      wrong,
      `${ada.token}x`,
      'x',
      'true',
      'allow',
      '{"allow":true}',
      ':',
      `x:${ada.token}`,
    ]) {
      expect({ token, outcome: await login(ada.name, token) }).toEqual({ token, outcome: refused });
    }
  });

  it('refuses the account password, unless the application takes it', async () => {
    const ada = await stage().user();
    expect(await login(ada.name, 'correct horse battery staple')).toBe(refused);
  });

  it('refuses another user’s token', async () => {
    const ada = await stage().user();
    const bob = await stage().user();
    expect(await loginOf(ada, bob)).toBe(refused);
    expect(await loginOf(bob, ada)).toBe(refused);
  });

  it('refuses another application’s token, whichever of the two the name says', async () => {
    const ada = await stage().user();
    const elsewhere = await stage().user(await stage().app.createApplication());
    expect(await loginOf(ada, elsewhere)).toBe(refused);
    expect(await loginOf(elsewhere, ada)).toBe(refused);
    expect(await login(`${ada.id}-${elsewhere.applicationId}`, ada.token)).toBe(refused);
    expect(await login(`${elsewhere.id}-${ada.applicationId}`, elsewhere.token)).toBe(refused);
  });

  it('refuses the token of a session in which nobody is signed in', async () => {
    const ada = await stage().user();
    const session = await stage().app.api.applicationSession(stage().application);
    expect(await loginOf(ada, session)).toBe(refused);
  });

  it('refuses names that are not exactly the user’s', async () => {
    const { id, applicationId, token } = await stage().user();
    for (const name of [
      `0${id}-${applicationId}`,
      `${id}-0${applicationId}`,
      `${id}`,
      `${id}-${applicationId}-1`,
    ]) {
      expect({ name, outcome: await login(name, token) }).toEqual({ name, outcome: refused });
    }
  });

  it('refuses a session that was ended a moment ago, however often it got in before', async () => {
    const ada = await stage().user();
    expect(await loginOf(ada, ada)).toBe('in');
    expect((await stage().app.api.send('DELETE', '/v1/session', { as: ada.token })).status).toBe(204);
    expect(await loginOf(ada, ada)).toBe(refused);
  });

  it('refuses a session that has idled for too long', async () => {
    const brief = await stage().app.createApplication({ session_idle_seconds: 60 });
    const ada = await stage().user(brief);
    expect(await loginOf(ada, ada)).toBe('in');
    stage().app.clock.advance({ seconds: 120 });
    expect(await loginOf(ada, ada)).toBe(refused);
  });

  it('refuses a user who was disabled, and users of an application without chat', async () => {
    const { app } = stage();
    const ada = await stage().user();
    const owner = await app.createAdminKey('owner');
    const path = `/admin/v1/applications/${ada.applicationId}/users/${ada.id}/disable`;
    expect((await app.api.send('POST', path, { as: owner })).status).toBeLessThan(300);
    expect(await loginOf(ada, ada)).toBe(refused);
    const silent = await stage().user(await app.createApplication({ chat: false }));
    expect(await loginOf(silent, silent)).toBe(refused);
  });

  it.each(TROUBLES)(
    'lets nobody in while the broker is in trouble (%s), and everybody after it',
    async (trouble) => {
      const { broker } = stage();
      const ada = await stage().user();
      const bob = await stage().user();
      expect(await loginOf(ada, ada)).toBe('in');
      const before = broker.requests;
      await broker.cause(trouble);
      try {
        const outcomes = await Promise.all([loginOf(ada, ada), loginOf(bob, bob), login(ada.name, 'x')]);
        expect(outcomes).toEqual([undecided, undecided, undecided]);
      } finally {
        await broker.mend();
      }
      // That it was asked at all: a server that asked nobody would refuse as well.
      if (trouble !== 'down') expect(broker.requests).toBeGreaterThan(before);
      expect(await loginOf(ada, ada)).toBe('in');
      expect(await loginOf(bob, bob)).toBe('in');
    },
  );
}
