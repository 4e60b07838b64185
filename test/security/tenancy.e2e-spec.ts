import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD, type Answer, type Begun } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

describeOnEachDatabase('who may reach what', (kind) => {
  let server: TestApp;
  let rows: DatabaseRows;
  let application: Application;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    rows = new DatabaseRows(server);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    application = await server.createApplication();
  });

  const usersAsStored = async () => JSON.stringify(await rows.run('SELECT * FROM users ORDER BY id'));
  const codeOf = ({ status, body }: Answer) => `${status} ${String(body['code'])}`;

  describe("another user's record", () => {
    it.each([
      ['PATCH', { full_name: 'Mallory' }],
      ['PUT', { full_name: 'Mallory' }],
      ['PUT', { user: { password: 'another battery staple' } }],
      ['DELETE', undefined],
    ] as const)('U-03 stays as it is when somebody sends %s %j to it', async (method, body) => {
      const { api } = server;
      const victim = await api.signUp(application, { login: 'victim', email: 'victim@example.com' });
      const { session } = await api.user(application, 'mallory');
      const stored = await usersAsStored();
      const sent = { as: session.token, ...(body && { body }) };
      const answers = await Promise.all(
        [`${victim.id}`, '999999999', `${victim.id}/password`, '999999999/password'].map((path) =>
          api.send(method, `/v1/users/${path}`, sent),
        ),
      );
      for (const answer of answers) {
        expect(answer.status).toBeGreaterThanOrEqual(400);
        // Whether there is such a user is not to be read from the answer.
        expect(codeOf(answer)).toBe(codeOf(answers[0]!));
        expect(answer.text).not.toContain('victim');
      }
      expect(await usersAsStored()).toBe(stored);
      await api.signIn(application, { login: 'victim' });
    });

    it('U-03 is not asked about before it is known who asks', async () => {
      const { api } = server;
      await api.signUp(application, { login: 'victim' });
      const taken = { login: 'victim', password: 'password' };
      const { token } = await api.applicationSession(application);
      const malformed = { old_password: 1, password: [], login: 'victim' };
      const right = { provider: 'password', credential: { login: 'victim', password: PASSWORD } };
      expect(
        await Promise.all(
          [
            api.send('POST', '/v1/users', { body: taken }),
            api.send('POST', '/v1/users', { as: 'osta_unknown', body: taken }),
            api.send('POST', '/v1/users', { as: { ...application, authSecret: 'wrong' }, body: taken }),
            api.send('POST', '/v1/sessions', { as: { ...application, authSecret: 'wrong' }, body: right }),
            api.send('PUT', '/v1/session/user', { as: 'osta_unknown', body: right }),
            api.send('PUT', '/v1/users/me/password', { body: malformed }),
            api.send('PUT', '/v1/users/me/password', { as: token, body: malformed }),
            api.send('DELETE', '/v1/users/me/sessions/1', { as: token }),
          ].map(async (answer) => codeOf(await answer)),
        ),
      ).toEqual([
        '401 authentication_required',
        '401 session_ended',
        '401 invalid_client',
        '401 invalid_client',
        '401 session_ended',
        '401 authentication_required',
        '403 user_session_required',
        '403 user_session_required',
      ]);
    });

    it('U-03 is not asked about where signing up is not open to who asks', async () => {
      const { api } = server;
      const closed = await server.createApplication({ sign_up: 'server_only' });
      await api.signUp(closed, { login: 'victim' });
      const { token } = await api.applicationSession(closed);
      const answers = await Promise.all(
        ['victim', 'nobody'].map((login) =>
          api.send('POST', '/v1/users', { as: token, body: { login, password: PASSWORD } }),
        ),
      );
      expect(answers.map(codeOf)).toEqual(['403 sign_up_disabled', '403 sign_up_disabled']);
    });
  });

  describe("another application's user", () => {
    let other: Application;
    let theirs: Begun;

    beforeEach(async () => {
      other = await server.createApplication();
      theirs = await server.api.user(other, 'alice');
    });

    it.each(['GET', 'PATCH', 'PUT', 'DELETE'])('U-26 is not there for %s by id', async (method) => {
      const { api } = server;
      const { session } = await api.user(application, 'bob');
      const stored = await usersAsStored();
      for (const as of [session.token, application]) {
        const body = method === 'GET' ? undefined : { full_name: 'Mallory' };
        const sent = { as, ...(body && { body }) };
        expect((await api.send(method, `/v1/users/${theirs.user!.id}`, sent)).status).toBe(404);
      }
      expect(await usersAsStored()).toBe(stored);
    });

    it('U-26 cannot sign in here, on any route', async () => {
      const { api } = server;
      const { token } = await api.applicationSession(application);
      const body = { provider: 'password', credential: { login: 'alice', password: PASSWORD } };
      expect(codeOf(await api.send('POST', '/v1/sessions', { as: application, body }))).toBe(
        '401 invalid_credentials',
      );
      expect(codeOf(await api.send('PUT', '/v1/session/user', { as: token, body }))).toBe(
        '401 invalid_credentials',
      );
    });

    it('U-26 does not keep anybody here from the same names', async () => {
      const { api } = server;
      const { user, session } = await api.user(application, 'alice');
      expect(user!.id).not.toBe(theirs.user!.id);
      expect(session.application_id).toBe(application.id);
      const change = { old_password: PASSWORD, password: 'another battery staple' };
      expect(
        (await api.send('PUT', '/v1/users/me/password', { as: session.token, body: change })).status,
      ).toBe(200);
      // Neither their password nor their sessions have changed.
      await api.signIn(other, { login: 'alice' });
      expect((await api.get('/v1/session', theirs.session.token)).status).toBe(200);
    });

    it('U-26 has sessions that nobody here can end or see', async () => {
      const { api } = server;
      const { session } = await api.user(application, 'alice');
      const path = `/v1/users/me/sessions/${theirs.session.id}`;
      expect(codeOf(await api.send('DELETE', path, { as: session.token }))).toBe('404 session_not_found');
      await api.send('DELETE', '/v1/users/me/sessions', { as: session.token });
      const { text } = await api.get('/v1/users/me/sessions', session.token);
      expect(text).not.toContain(`"id":${theirs.session.id},`);
      expect((await api.get('/v1/session', theirs.session.token)).status).toBe(200);
    });

    it('U-26 is theirs even for whoever has both public keys', async () => {
      const { api } = server;
      const open = await server.createApplication({ public_clients: true });
      const names = [
        { application_id: other.id, auth_key: open.authKey },
        { application_id: open.id, auth_key: other.authKey },
        { application_id: other.id, auth_key: other.authKey },
      ];
      for (const body of names) {
        expect(codeOf(await api.send('POST', '/v1/sessions', { body }))).toBe('401 invalid_client');
      }
      const mixed = { ...application, authKey: other.authKey };
      expect(codeOf(await api.send('POST', '/v1/sessions', { as: mixed, body: {} }))).toBe(
        '401 invalid_client',
      );
    });
  });
});
