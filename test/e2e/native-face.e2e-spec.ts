import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { z } from 'zod';
import { sessionAnswer, sessionsAnswer, userAnswer } from '../../src/api/responses.js';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD, type Begun, type SessionBody, type UserBody } from '../support/api-client.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

/** The answer is what the API description says, and nothing more. */
const conforms = (schema: z.ZodType, body: unknown) =>
  expect(schema.safeParse(body).error?.issues).toBeUndefined();

describeOnEachDatabase('the native face', (kind) => {
  let server: TestApp;
  let application: Application;
  let count = 0;
  const newLogin = () => `user-${(count += 1)}`;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    application = await server.createApplication();
  });
  afterAll(() => server.stop());

  describe('POST /v1/sessions', () => {
    it('begins an application session with HTTP Basic, with a body or without', async () => {
      for (const body of [undefined, {}]) {
        const answer = await server.api.send<Begun>('POST', '/v1/sessions', { as: application, body });
        expect(answer.status).toBe(201);
        conforms(sessionAnswer, answer.body);
        expect(answer.body.session).toMatchObject({ kind: 'application', user_id: null, provider: null });
        expect(answer.body.session.token).toMatch(/^osta_[A-Za-z0-9_-]{43}$/);
        expect(answer.body.user).toBeUndefined();
      }
    });

    it('begins a user session at once', async () => {
      const login = newLogin();
      await server.api.signUp(application, {
        login,
        email: `${login}@example.com`,
        phone: `+1555000${1000 + count}`,
      });
      for (const name of [
        { login },
        { email: `${login}@EXAMPLE.com` },
        { phone: `1555000${1000 + count}` },
      ]) {
        const begun = await server.api.signIn(application, name);
        conforms(sessionAnswer, begun);
        expect(begun.session).toMatchObject({ kind: 'user', provider: 'password', user_id: begun.user!.id });
        expect(begun.user).toMatchObject({ login, guest: false, email_verified: false });
      }
    });

    it('takes public clients without a secret where the application allows it', async () => {
      const open = await server.createApplication({ public_clients: true });
      const keys = { application_id: open.id, auth_key: open.authKey };
      expect((await server.api.send('POST', '/v1/sessions', { body: keys })).status).toBe(201);
      const closed = { application_id: application.id, auth_key: application.authKey };
      expect((await server.api.send('POST', '/v1/sessions', { body: closed })).body).toMatchObject({
        code: 'invalid_client',
      });
      const mixed = { application_id: application.id, auth_key: open.authKey };
      expect((await server.api.send('POST', '/v1/sessions', { body: mixed })).body).toMatchObject({
        code: 'invalid_client',
      });
    });

    it('refuses wrong keys and missing ones', async () => {
      const wrongSecret = { ...application, authSecret: 'as_wrong' };
      const wrongKey = { ...application, authKey: 'ak_wrong' };
      for (const as of [wrongSecret, wrongKey]) {
        const answer = await server.api.send('POST', '/v1/sessions', { as });
        expect([answer.status, answer.body['code']]).toEqual([401, 'invalid_client']);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Basic/);
      }
      expect((await server.api.send('POST', '/v1/sessions', {})).body).toMatchObject({
        code: 'authentication_required',
      });
    });

    it('refuses a body that names another application than HTTP Basic does', async () => {
      const body = { application_id: application.id + 1 };
      const answer = await server.api.send('POST', '/v1/sessions', { as: application, body });
      expect(answer.body).toMatchObject({ code: 'invalid_client' });
    });

    it('knows no provider but its own', async () => {
      const body = { provider: 'facebook', credential: { access_token: 'x' } };
      const answer = await server.api.send('POST', '/v1/sessions', { as: application, body });
      expect([answer.status, answer.body['code']]).toEqual([404, 'unknown_identity_provider']);
    });

    it('names the place in a credential that is at fault', async () => {
      const send = async (body: object) =>
        (
          await server.api.send<{ errors: { pointer: string; code: string }[] }>('POST', '/v1/sessions', {
            as: application,
            body,
          })
        ).body.errors.map(({ pointer, code }) => `${pointer} ${code}`);
      expect(await send({ provider: 'password' })).toEqual(['/credential required']);
      expect(await send({ provider: 'password', credential: { login: 'x' } })).toEqual([
        '/credential/password required',
      ]);
      const two = { login: 'x', email: 'x@example.com', password: PASSWORD };
      expect(await send({ provider: 'password', credential: two })).toEqual([
        '/credential identifier_required',
      ]);
      expect(await send({ credential: {} })).toEqual(['/provider required']);
    });
  });

  describe('GET and DELETE /v1/session', () => {
    it('shows the session, without its token, and until when it lives', async () => {
      const { token, id } = await server.api.applicationSession(application);
      server.clock.advance({ minutes: 10 });
      const { body } = await server.api.get<{ session: SessionBody }>('/v1/session', token);
      conforms(sessionAnswer, body);
      expect(body.session).toMatchObject({ id, kind: 'application' });
      expect(body.session.token).toBeUndefined();
      expect(body.session.expires_at).toBe(new Date(server.clock.now() + 7200_000).toISOString());
    });

    it('ends it at once and for good', async () => {
      const { token } = await server.api.applicationSession(application);
      await server.api.get('/v1/session', token);
      const ended = await server.api.send('DELETE', '/v1/session', { as: token });
      expect([ended.status, ended.text]).toEqual([204, '']);
      for (const method of ['GET', 'DELETE']) {
        expect((await server.api.send(method, '/v1/session', { as: token })).body).toMatchObject({
          code: 'session_ended',
        });
      }
    });
  });

  describe('PUT and DELETE /v1/session/user', () => {
    it('upgrades and downgrades on one session, with a new token each time', async () => {
      const login = newLogin();
      await server.api.signUp(application, { login });
      const first = await server.api.applicationSession(application);
      const body = { provider: 'password', credential: { login, password: PASSWORD } };
      const up = await server.api.send<Begun>('PUT', '/v1/session/user', { as: first.token, body });
      conforms(sessionAnswer, up.body);
      expect(up.body.session).toMatchObject({ id: first.id, kind: 'user', created_at: first.created_at });
      const down = await server.api.send<Begun>('DELETE', '/v1/session/user', { as: up.body.session.token });
      conforms(sessionAnswer, down.body);
      expect(down.body.session).toMatchObject({
        id: first.id,
        kind: 'application',
        user_id: null,
        provider: null,
      });
      const tokens = [first.token, up.body.session.token, down.body.session.token];
      expect(new Set(tokens).size).toBe(3);
      const statuses = [];
      for (const token of tokens) statuses.push((await server.api.get('/v1/session', token)).status);
      expect(statuses).toEqual([401, 401, 200]);
    });

    it('keeps the session as it was when the sign-in is refused', async () => {
      const { token } = await server.api.applicationSession(application);
      const body = { provider: 'password', credential: { login: 'nobody', password: PASSWORD } };
      const answer = await server.api.send('PUT', '/v1/session/user', { as: token, body });
      expect([answer.status, answer.body['code']]).toEqual([401, 'invalid_credentials']);
      expect((await server.api.get('/v1/session', token)).body).toMatchObject({
        session: { kind: 'application' },
      });
    });

    it('lets one of two upgrades of one token win', async () => {
      const login = newLogin();
      await server.api.signUp(application, { login });
      const { token } = await server.api.applicationSession(application);
      const body = { provider: 'password', credential: { login, password: PASSWORD } };
      const both = await Promise.all(
        [1, 2].map(() => server.api.send('PUT', '/v1/session/user', { as: token, body })),
      );
      expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    });

    it('has no user to sign out of an application session', async () => {
      const { token } = await server.api.applicationSession(application);
      const answer = await server.api.send('DELETE', '/v1/session/user', { as: token });
      expect([answer.status, answer.body['code']]).toEqual([403, 'user_session_required']);
    });
  });

  describe('POST /v1/users', () => {
    it('signs a user up on an application session, with a profile', async () => {
      const { token } = await server.api.applicationSession(application);
      const login = newLogin();
      const profile = {
        full_name: 'Zoë Ünal',
        website: 'https://example.com/zoe',
        external_id: 'crm-7',
        custom_data: '{"a":1}',
        locale: 'pt-BR',
        timezone: 'Europe/Berlin',
        country: 'DE',
      };
      const body = { login, password: PASSWORD, ...profile };
      const answer = await server.api.send<{ user: UserBody }>('POST', '/v1/users', { as: token, body });
      expect(answer.status).toBe(201);
      conforms(userAnswer, answer.body);
      expect(answer.body.user).toMatchObject({ login, ...profile, guest: false });
    });

    it('names each identifier that is taken', async () => {
      const login = newLogin();
      const email = `${login}@example.com`;
      await server.api.signUp(application, { login, email });
      const body = { login: login.toUpperCase(), email, phone: '+15559990000', password: PASSWORD };
      const answer = await server.api.send('POST', '/v1/users', { as: application, body });
      expect(answer.status).toBe(409);
      expect(answer.body).toMatchObject({
        code: 'identifier_taken',
        errors: [
          { pointer: '/login', code: 'taken' },
          { pointer: '/email', code: 'taken' },
        ],
      });
    });

    it('needs something to sign in by', async () => {
      const answer = await server.api.send('POST', '/v1/users', {
        as: application,
        body: { password: PASSWORD },
      });
      expect(answer.body).toMatchObject({
        code: 'validation_failed',
        errors: [{ code: 'identifier_required' }],
      });
    });

    it('is for whom the application says', async () => {
      const body = { login: 'x', password: PASSWORD };
      const serverOnly = await server.createApplication({ sign_up: 'server_only' });
      const { token } = await server.api.applicationSession(serverOnly);
      expect((await server.api.send('POST', '/v1/users', { as: token, body })).body).toMatchObject({
        code: 'sign_up_disabled',
      });
      expect((await server.api.send('POST', '/v1/users', { as: serverOnly, body })).status).toBe(201);
      const off = await server.createApplication({ sign_up: 'off' });
      expect((await server.api.send('POST', '/v1/users', { as: off, body })).body).toMatchObject({
        code: 'sign_up_disabled',
      });
    });

    it('lets a hundred sign-ups with one login make one user', async () => {
      const body = { login: newLogin(), password: PASSWORD };
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => server.api.send('POST', '/v1/users', { as: application, body })),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, ...Array<number>(99).fill(409)]);
    });
  });

  describe('create_user_on_sign_in', () => {
    it('makes a user of whoever signs in under a free name', async () => {
      const eager = await server.createApplication({ create_user_on_sign_in: true });
      const first = await server.api.signIn(eager, { login: 'newcomer' });
      const second = await server.api.signIn(eager, { login: 'newcomer' });
      expect(second.user!.id).toBe(first.user!.id);
      const wrong = { provider: 'password', credential: { login: 'newcomer', password: 'something else' } };
      expect((await server.api.send('POST', '/v1/sessions', { as: eager, body: wrong })).status).toBe(401);
    });

    it('makes none of a name or password that a sign-up would refuse', async () => {
      const eager = await server.createApplication({ create_user_on_sign_in: true });
      const send = (credential: object) =>
        server.api.send('POST', '/v1/sessions', { as: eager, body: { provider: 'password', credential } });
      expect((await send({ email: 'no address', password: PASSWORD })).body).toMatchObject({
        code: 'invalid_credentials',
      });
      expect((await send({ login: 'x', password: 'password1' })).body).toMatchObject({
        code: 'password_refused',
      });
    });
  });

  it('tells a free name from a wrong password only where the client may sign users up', async () => {
    const closed = await server.createApplication({ create_user_on_sign_in: true, sign_up: 'off' });
    const answer = await server.api.send('POST', '/v1/sessions', {
      as: closed,
      body: { provider: 'password', credential: { login: 'nobody-yet', password: PASSWORD } },
    });
    expect([answer.status, answer.body['code']]).toEqual([401, 'invalid_credentials']);
  });

  describe('guests', () => {
    it('get a user and a session that idles for days', async () => {
      const { session, user } = await server.api.guest(application);
      expect(user).toMatchObject({ guest: true, login: null });
      expect(session).toMatchObject({ provider: 'guest', user_id: user!.id });
      server.clock.advance({ days: 29 });
      expect((await server.api.get('/v1/users/me', session.token)).status).toBe(200);
      server.clock.advance({ days: 31 });
      expect((await server.api.get('/v1/users/me', session.token)).status).toBe(401);
    });

    it('become users in place when they choose a password and a name', async () => {
      const { session, user } = await server.api.guest(application);
      const login = newLogin();
      const put = (body: object) =>
        server.api.send<Begun>('PUT', '/v1/users/me/password', { as: session.token, body });
      expect((await put({ password: PASSWORD })).body).toMatchObject({
        errors: [{ code: 'identifier_required' }],
      });
      const answer = await put({ password: PASSWORD, login });
      expect(answer.status).toBe(200);
      conforms(sessionAnswer, answer.body);
      expect(answer.body.user).toMatchObject({ id: user!.id, login, guest: false });
      expect(answer.body.session).toMatchObject({ id: session.id, provider: 'password' });
      expect((await server.api.get('/v1/session', session.token)).status).toBe(401);
      expect((await server.api.signIn(application, { login })).user!.id).toBe(user!.id);
    });

    it('cannot take a name that another user has', async () => {
      const login = newLogin();
      await server.api.signUp(application, { login });
      const { session } = await server.api.guest(application);
      const answer = await server.api.send('PUT', '/v1/users/me/password', {
        as: session.token,
        body: { password: PASSWORD, login },
      });
      expect([answer.status, answer.body['code']]).toEqual([409, 'identifier_taken']);
      expect((await server.api.get('/v1/users/me', session.token)).body).toMatchObject({
        user: { guest: true },
      });
    });

    it('are not taken where the application does not want them', async () => {
      const strict = await server.createApplication({ guests: false });
      const answer = await server.api.send('POST', '/v1/sessions', {
        as: strict,
        body: { provider: 'guest' },
      });
      expect([answer.status, answer.body['code']]).toEqual([403, 'guests_disabled']);
    });
  });

  describe('PUT /v1/users/me/password', () => {
    it('changes the password, ends the other sessions and goes on with a new token', async () => {
      const login = newLogin();
      const { session } = await server.api.user(application, login);
      const other = (await server.api.signIn(application, { login })).session;
      const body = { old_password: PASSWORD, password: 'another good password' };
      const answer = await server.api.send<Begun>('PUT', '/v1/users/me/password', {
        as: session.token,
        body,
      });
      expect(answer.status).toBe(200);
      for (const token of [session.token, other.token]) {
        expect((await server.api.get('/v1/session', token)).status).toBe(401);
      }
      expect((await server.api.get('/v1/session', answer.body.session.token)).status).toBe(200);
      await server.api.signIn(application, { login, password: 'another good password' });
    });

    it('refuses identifiers beside a change', async () => {
      const { session } = await server.api.user(application, newLogin());
      const body = { old_password: PASSWORD, password: 'another good password', login: 'x' };
      const answer = await server.api.send('PUT', '/v1/users/me/password', { as: session.token, body });
      expect(answer.body).toMatchObject({
        code: 'validation_failed',
        errors: [{ pointer: '/login', code: 'not_allowed' }],
      });
    });

    it('lets one of two changes at once win', async () => {
      const login = newLogin();
      const sessions = [
        await server.api.user(application, login),
        await server.api.signIn(application, { login }),
      ];
      const answers = await Promise.all(
        sessions.map(({ session }, i) =>
          server.api.send('PUT', '/v1/users/me/password', {
            as: session.token,
            body: { old_password: PASSWORD, password: `another good password ${i}` },
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    });
  });

  describe('/v1/users/me/sessions', () => {
    it('lists living sessions, newest first, and pages through them', async () => {
      const login = newLogin();
      const first = (await server.api.user(application, login)).session;
      const ids = [first.id];
      for (let i = 0; i < 4; i += 1)
        ids.unshift((await server.api.signIn(application, { login })).session.id);
      const seen: number[] = [];
      let query = '?limit=2';
      for (;;) {
        const { body } = await server.api.get<{ items: SessionBody[]; next_cursor: string | null }>(
          `/v1/users/me/sessions${query}`,
          first.token,
        );
        conforms(sessionsAnswer, body);
        seen.push(...body.items.map(({ id }) => id));
        if (body.next_cursor === null) break;
        query = `?limit=2&cursor=${body.next_cursor}`;
      }
      expect(seen).toEqual(ids);
    });

    it('leaves out sessions that have expired, and marks the present one', async () => {
      const login = newLogin();
      await server.api.user(application, login);
      server.clock.advance({ hours: 3 });
      const { session } = await server.api.signIn(application, { login });
      const { body } = await server.api.get<{ items: (SessionBody & { current: boolean })[] }>(
        '/v1/users/me/sessions',
        session.token,
      );
      expect(body.items.map(({ id, current }) => [id, current])).toEqual([[session.id, true]]);
    });

    it('ends one, or all others', async () => {
      const login = newLogin();
      const mine = (await server.api.user(application, login)).session;
      const [a, b, c] = [1, 2, 3].map(() => server.api.signIn(application, { login }));
      const [one, two, three] = [(await a!).session, (await b!).session, (await c!).session];
      const status = async ({ token }: SessionBody) => (await server.api.get('/v1/session', token)).status;
      expect(
        (await server.api.send('DELETE', `/v1/users/me/sessions/${one.id}`, { as: mine.token })).status,
      ).toBe(204);
      expect([await status(one), await status(two), await status(mine)]).toEqual([401, 200, 200]);
      expect(
        (await server.api.send('DELETE', `/v1/users/me/sessions/${one.id}`, { as: mine.token })).body,
      ).toMatchObject({
        code: 'session_not_found',
      });
      expect((await server.api.send('DELETE', '/v1/users/me/sessions', { as: mine.token })).status).toBe(204);
      expect([await status(two), await status(three), await status(mine)]).toEqual([401, 401, 200]);
    });
  });

  it('answers a route or method that is not there with a problem document', async () => {
    for (const [method, path] of [
      ['GET', '/nothing'],
      ['PATCH', '/v1/session'],
      ['POST', '/v1/users/me'],
    ] as const) {
      const answer = await server.api.send(method, path, {});
      expect([answer.status, answer.body['code']]).toEqual([404, 'route_not_found']);
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
  });

  it('lets no answer be cached and gives each a request id that the log has too', async () => {
    const { headers } = await server.api.send('POST', '/v1/sessions', { as: application });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(server.log).toContain(`"request_id":"${headers.get('x-request-id')}"`);
  });
});
