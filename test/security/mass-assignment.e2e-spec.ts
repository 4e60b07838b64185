import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import {
  authorization,
  PASSWORD,
  type Answer,
  type SessionBody,
  type UserBody,
} from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { sendRaw } from '../support/raw-http.js';
import { TestApp } from '../support/test-app.js';

/** What somebody may try to decide about a session or a user that is not theirs to decide. */
const sessionFields = {
  token: 'osta_chosen',
  token_hash: 'chosen',
  expires_at: '2099-01-01T00:00:00Z',
  absolute_expires_at: 4102444800000,
  idle_seconds: 999999999,
  started_at: 0,
  user_id: 1,
  kind: 'user',
  session_id: 1,
  created_with: { action: 'sign-up' },
  is_guest: false,
  amr: ['mfa'],
  auth_time: 4102444800000,
};
const userFields = {
  id: 1,
  application_id: 1,
  guest: true,
  is_guest: true,
  role: 'admin',
  roles: ['admin'],
  is_admin: true,
  email_verified: true,
  phone_verified: true,
  password_hash: '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaA',
  credential_version: 7,
  disabled: false,
  created_at: '2000-01-01T00:00:00Z',
  updated_at: '2000-01-01T00:00:00Z',
  last_request_at: '2099-01-01T00:00:00Z',
  login_key: 'victim',
  facebook_id: '1',
  authData: { facebook: { id: '1' } },
  something_else: 'x',
};

describeOnEachDatabase('bodies that say too much', (kind) => {
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
    await server.api.signUp(application, { login: 'alice' });
  });

  const presented = { provider: 'password', credential: { login: 'alice', password: PASSWORD } };

  /** Sends a body with one more field and tells whether that is what it was refused for, with nothing done. */
  async function expectRefusedFor(
    pointer: string,
    send: () => Promise<Answer>,
    code = 'unknown_field',
  ): Promise<void> {
    const before = [await rows.count('users'), await rows.count('sessions')];
    const { status, body, text } = await send();
    expect({ status, text }).toEqual({ status: 422, text: expect.any(String) });
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ pointer, code }] });
    expect([await rows.count('users'), await rows.count('sessions')]).toEqual(before);
  }

  it.each(Object.entries(sessionFields))(
    'S-04 refuses %s in the bodies of sign-up and sign-in',
    async (field, value) => {
      const { api } = server;
      const { token } = await api.applicationSession(application);
      const signUp = { login: 'bob', password: PASSWORD };
      const extra = { [field]: value };
      const inCredential = { ...presented, credential: { ...presented.credential, ...extra } };
      const guest = { provider: 'guest', credential: extra };
      await expectRefusedFor(`/${field}`, () =>
        api.send('POST', '/v1/users', { as: token, body: { ...signUp, ...extra } }),
      );
      for (const body of [extra, { ...presented, ...extra }, { provider: 'guest', ...extra }]) {
        await expectRefusedFor(`/${field}`, () =>
          api.send('POST', '/v1/sessions', { as: application, body }),
        );
      }
      await expectRefusedFor(`/${field}`, () =>
        api.send('PUT', '/v1/session/user', { as: token, body: { ...presented, ...extra } }),
      );
      for (const body of [inCredential, guest]) {
        const pointer = `/credential/${field}`;
        await expectRefusedFor(pointer, () => api.send('POST', '/v1/sessions', { as: application, body }));
        await expectRefusedFor(pointer, () => api.send('PUT', '/v1/session/user', { as: token, body }));
      }
    },
  );

  it('S-04 issues a token of its own to whoever sends one', async () => {
    const { api } = server;
    const chosen = 'osta_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
    const headers = { 'x-session-token': chosen, cookie: `token=${chosen}` };
    const sent = { as: application, body: presented, headers };
    const { body } = await api.send<{ session: SessionBody }>('POST', '/v1/sessions', sent);
    expect(body.session.token).not.toBe(chosen);
    expect((await api.get('/v1/session', chosen)).status).toBe(401);
  });

  it.each(Object.entries(userFields))(
    'U-02 refuses %s in the bodies of sign-up, guest and password change',
    async (field, value) => {
      const { api } = server;
      const { session } = await api.signIn(application, { login: 'alice' });
      const signUp = { login: 'bob', password: PASSWORD, [field]: value };
      const change = { old_password: PASSWORD, password: 'another battery staple', [field]: value };
      const guest = { provider: 'guest', credential: { [field]: value } };
      for (const as of [session.token, application]) {
        await expectRefusedFor(`/${field}`, () => api.send('POST', '/v1/users', { as, body: signUp }));
      }
      await expectRefusedFor(`/credential/${field}`, () =>
        api.send('POST', '/v1/sessions', { as: application, body: guest }),
      );
      await expectRefusedFor(`/${field}`, () =>
        api.send('PUT', '/v1/users/me/password', { as: session.token, body: change }),
      );
      await api.signIn(application, { login: 'alice' });
    },
  );

  it('U-02 leaves everything that users cannot say of themselves at what it is for everybody', async () => {
    const email = 'alice@example.com';
    const user = await server.api.signUp(application, { email, phone: '+15550100' });
    const now = new Date(server.clock.now()).toISOString();
    expect(user).toMatchObject({
      application_id: application.id,
      email_verified: false,
      phone_verified: false,
      guest: false,
      last_request_at: null,
      created_at: now,
      updated_at: now,
    });
  });

  it('U-02 lets a signed-in user change no identifier along with the password', async () => {
    const { api } = server;
    const { session } = await api.signIn(application, { login: 'alice' });
    const body = { old_password: PASSWORD, password: 'another battery staple', login: 'victim' };
    await expectRefusedFor(
      '/login',
      () => api.send('PUT', '/v1/users/me/password', { as: session.token, body }),
      'not_allowed',
    );
  });

  describe('operators in identity fields', () => {
    const operators: [string, unknown][] = [
      ['{"$regex": "^a"}', { $regex: '^a' }],
      ['{"$ne": null}', { $ne: null }],
      ['{"$gt": ""}', { $gt: '' }],
      ['["alice"]', ['alice']],
      ['[]', []],
      ['{}', {}],
      ['null', null],
      ['true', true],
      ['0', 0],
    ];

    it.each(operators)('U-12 refuses %s by its type, wherever text is expected', async (_, operator) => {
      const { api } = server;
      const { token } = await api.applicationSession(application);
      for (const field of ['login', 'email', 'phone'] as const) {
        const credential = { [field]: operator, password: PASSWORD };
        const body = { provider: 'password', credential };
        const pointer = `/credential/${field}`;
        const code = 'invalid_type';
        await expectRefusedFor(
          pointer,
          () => api.send('POST', '/v1/sessions', { as: application, body }),
          code,
        );
        await expectRefusedFor(pointer, () => api.send('PUT', '/v1/session/user', { as: token, body }), code);
        await expectRefusedFor(
          `/${field}`,
          () => api.send('POST', '/v1/users', { as: token, body: credential }),
          code,
        );
      }
      for (const body of [
        { provider: 'password', credential: { login: 'alice', password: operator } },
        { provider: operator, credential: presented.credential },
      ]) {
        const { status } = await api.send('POST', '/v1/sessions', { as: application, body });
        expect(status).toBe(422);
      }
    });

    it.each([
      'al%',
      'a_ice',
      '%',
      '_____',
      'alice%',
      "alice' OR '1'='1",
      'alice"--',
      '*',
      'a.*e',
      'alice\\',
      '^alice$',
    ])('U-12 finds nobody by %s, which stands for nothing but itself', async (login) => {
      const body = { provider: 'password', credential: { login, password: PASSWORD } };
      const answer = await server.api.send('POST', '/v1/sessions', { as: application, body });
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
    });

    it('U-12 takes such names for names', async () => {
      const user = await server.api.signUp(application, { login: 'al%' });
      const { session } = await server.api.signIn(application, { login: 'al%' });
      expect(session.user_id).toBe(user.id);
      const taken = { login: 'a_ice', password: PASSWORD };
      expect((await server.api.send('POST', '/v1/users', { as: application, body: taken })).status).toBe(201);
    });

    it.each([
      'limit[$gt]=1',
      'limit=1&limit=2',
      'cursor[$ne]=1',
      'cursor=1%20OR%201=1',
      'cursor=*',
      'where=1',
    ])('U-12 refuses the query ?%s', async (query) => {
      const { session } = await server.api.signIn(application, { login: 'alice' });
      const answer = await server.api.get(`/v1/users/me/sessions?${query}`, session.token);
      expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    });
  });

  describe('credentials that are not there or not whole', () => {
    it.each([
      ['no credential', { provider: 'password' }],
      ['an empty credential', { provider: 'password', credential: {} }],
      ['no password', { provider: 'password', credential: { login: 'alice' } }],
      ['nobody named', { provider: 'password', credential: { password: PASSWORD } }],
      ['null for all', { provider: 'password', credential: { login: null, password: null } }],
      [
        'two names',
        { provider: 'password', credential: { ...presented.credential, email: 'a@example.com' } },
      ],
      ['a credential without its provider', { credential: presented.credential }],
      ['an empty credential without a provider', { credential: {} }],
      ['null as the credential', { provider: 'password', credential: null }],
      ['null as a guest', { provider: 'guest', credential: null }],
      ['a list as the credential', { provider: 'password', credential: [] }],
      ['null as the provider', { provider: null }],
      ['an empty provider', { provider: '' }],
      ['empty authData', { authData: {} }],
      ['a password as a guest', { provider: 'guest', credential: presented.credential }],
    ])('U-13 begin no session: %s', async (_, body) => {
      const { api } = server;
      const { token } = await api.applicationSession(application);
      const before = [await rows.count('users'), await rows.count('sessions')];
      for (const answer of [
        await api.send('POST', '/v1/sessions', { as: application, body }),
        await api.send('PUT', '/v1/session/user', { as: token, body }),
      ]) {
        expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
      }
      expect([await rows.count('users'), await rows.count('sessions')]).toEqual(before);
      expect((await api.get('/v1/session', token)).body).toMatchObject({ session: { kind: 'application' } });
    });

    it.each(['facebook', 'local', 'Password', 'password ', '__proto__', 'constructor', 'application'])(
      'U-13 begin no session with the provider %j, which is not there',
      async (provider) => {
        for (const credential of [undefined, {}, presented.credential]) {
          const body = { provider, credential };
          const answer = await server.api.send('POST', '/v1/sessions', { as: application, body });
          expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_identity_provider' } });
        }
      },
    );
  });

  describe('one request, read in one way', () => {
    const post = (contentType: string | null, body: string) =>
      sendRaw(server.url, {
        method: 'POST',
        target: '/v1/users',
        headers: [
          ['Authorization', authorization(application)],
          ...(contentType === null ? [] : ([['Content-Type', contentType]] as const)),
        ],
        body,
      });
    const json = JSON.stringify({ login: 'bob', password: PASSWORD });
    const form = `login=bob&password=${encodeURIComponent(PASSWORD)}`;
    const nested = `user[login]=bob&user[password]=${encodeURIComponent(PASSWORD)}`;

    it.each([
      ['a form', 'application/x-www-form-urlencoded', form, 415],
      ['a nested form', 'application/x-www-form-urlencoded', nested, 415],
      ['a form that says it is JSON', 'application/json', form, 400],
      ['JSON that says it is a form', 'application/x-www-form-urlencoded', json, 415],
      ['JSON that says it is text', 'text/plain', json, 415],
      ['JSON that says nothing', null, json, 415],
      ['JSON of another kind', 'application/vnd.api+json', json, 415],
      ['two types at once', 'text/plain, application/json', json, 415],
      ['multipart', 'multipart/form-data; boundary=x', `--x\r\n\r\n${json}\r\n--x--`, 415],
      ['a nested name in JSON', 'application/json', '{"user[login]":"bob","password":"abcdefghi"}', 422],
      ['a nested object in JSON', 'application/json', `{"user":${json}}`, 422],
      ['a name in capitals', 'application/json', json.replace('login', 'Login'), 422],
      ['JSON in a list', 'application/json', `[${json}]`, 422],
      ['JSON in a string', 'application/json', JSON.stringify(json), 422],
      ['a repeated member', 'application/json', json.replace('{', '{"login":"alice",'), 400],
      ['a repeated member, escaped', 'application/json', json.replace('{', '{"\\u006cogin":"alice",'), 400],
      ['two documents', 'application/json', json + json, 400],
      ['a byte order mark', 'application/json', `\ufeff${json}`, 400],
      ['a comment', 'application/json', `/* */${json}`, 400],
    ])('U-32 refuses %s', async (_, contentType, body, status) => {
      const before = await rows.count('users');
      const answer = await post(contentType, body);
      expect({ status: answer.status, body: answer.body }).toEqual({ status, body: expect.any(String) });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      expect(await rows.count('users')).toBe(before);
    });

    it.each(['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON;charset=UTF-8'])(
      'U-32 takes JSON as %s',
      async (contentType) => {
        expect((await post(contentType, json)).status).toBe(201);
      },
    );

    it('U-32 reads a repeated query parameter as a fault and not as either value', async () => {
      const { session } = await server.api.signIn(application, { login: 'alice' });
      for (const query of ['limit=5&limit=5', 'cursor=9&cursor=8', 'limit=5&limit[]=6']) {
        const answer = await server.api.get(`/v1/users/me/sessions?${query}`, session.token);
        expect(answer).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
      }
    });

    it('U-32 takes the application from the credentials and from nowhere else', async () => {
      const { api } = server;
      const other = await server.createApplication({ public_clients: true });
      const { token } = await api.applicationSession(application);
      const taken = { login: 'carol', password: PASSWORD, application_id: other.id };
      await expectRefusedFor('/application_id', () =>
        api.send('POST', '/v1/users', { as: token, body: taken }),
      );
      const target = `/v1/users?application_id=${other.id}`;
      const body = { login: 'carol', password: PASSWORD };
      const { user } = (await api.send<{ user: UserBody }>('POST', target, { as: token, body })).body;
      expect(user['application_id']).toBe(application.id);
      const named = { application_id: other.id, auth_key: other.authKey };
      // Two applications in one request: neither is meant for certain.
      const both = await api.send('POST', '/v1/sessions', { as: application, body: named });
      expect([both.status, both.body['code']]).toEqual([401, 'invalid_client']);
    });
  });
});
