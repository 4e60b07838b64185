import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { authorization, type Begun } from '../support/api-client.js';
import { ChatServer } from '../support/chat/chat-server.js';
import { TestApp } from '../support/test-app.js';

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString();
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('the OAuth face', () => {
  let server: TestApp;
  let application: Application;
  let chat: ChatServer;
  let alice: Begun;
  let users = 0;

  beforeAll(async () => {
    server = await TestApp.start('sqlite', { env: { PUBLIC_URL: 'https://id.example.com/' } });
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    application = await server.createApplication({ refresh_tokens: true });
    chat = await ChatServer.create(server, application);
    alice = await server.api.user(application, `alice-${(users += 1)}`);
  });

  const send = (path: string, body: string, Authorization = authorization(application)) =>
    chat.send(path, { headers: { ...FORM, Authorization }, body });
  const introspect = async (token: string, as?: string) => {
    const { status, body } = await send('/oauth/introspect', form({ token }), as);
    expect(status).toBe(200);
    return JSON.parse(body) as Record<string, unknown>;
  };
  const asChatClient = () => [
    `Bearer ${chat.secret}`,
    `Basic ${Buffer.from(`${chat.id}:${chat.secret}`).toString('base64')}`,
  ];

  it('tells a chat server and an application the same of a user’s token', async () => {
    const expected = {
      active: true,
      sub: String(alice.session.user_id),
      username: `${alice.session.user_id}-${application.id}`,
      client_id: String(application.id),
      scope: 'user',
      token_type: 'Bearer',
      iat: server.clock.now() / 1000,
      exp: Date.parse(alice.session.expires_at!) / 1000,
      iss: 'https://id.example.com',
    };
    for (const as of [authorization(application), ...asChatClient()]) {
      expect(await introspect(alice.session.token, as)).toEqual(expected);
    }
  });

  it('answers to the byte and lets nobody keep the answer', async () => {
    const { body, headers } = await send('/oauth/introspect', form({ token: 'nothing' }));
    expect(body).toBe('{"active":false}');
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('content-length')).toBe('16');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('knows an application session as nobody’s, and no chat server knows it at all', async () => {
    const { token } = await server.api.applicationSession(application);
    expect(await introspect(token)).toMatchObject({ active: true, scope: 'application' });
    expect(await introspect(token)).not.toHaveProperty('sub');
    expect(await introspect(token, asChatClient()[0])).toEqual({ active: false });
  });

  it.each(['', 'token=', 'token=a&token=b', 'tokens=a', '{"token":1}', 'token=%C3'])(
    'refuses %j as no question, or finds nothing',
    async (body) => {
      const answer = await send('/oauth/introspect', body);
      const isNothing = body === 'token=';
      expect([answer.status, answer.body]).toEqual(
        isNothing
          ? [200, '{"active":false}']
          : [400, '{"error":"invalid_request","error_description":"token is missing"}'],
      );
    },
  );

  it('takes no token from the query', async () => {
    expect((await send(`/oauth/introspect?${form({ token: alice.session.token })}`, '')).status).toBe(400);
  });

  it('is no use of the session for an application, and one for its chat servers', async () => {
    server.clock.advance({ minutes: 100 });
    await introspect(alice.session.token);
    server.clock.advance({ minutes: 25 });
    expect(await introspect(alice.session.token)).toEqual({ active: false });
    const bob = await server.api.user(application, `bob-${users}`);
    server.clock.advance({ minutes: 100 });
    await introspect(bob.session.token, asChatClient()[0]);
    server.clock.advance({ minutes: 100 });
    expect(await introspect(bob.session.token)).toMatchObject({ active: true });
  });

  it.each(['access_token', 'refresh_token', 'something else'])(
    'ends a session by its access token, whatever the hint: %s',
    async (token_type_hint) => {
      const body = form({ token: alice.session.token, token_type_hint });
      const { status, body: said } = await send('/oauth/revoke', body);
      expect([status, said]).toEqual([200, '']);
      expect((await server.api.get('/v1/session', alice.session.token)).status).toBe(401);
    },
  );

  it('ends a session by its refresh token', async () => {
    const { refresh_token: token } = alice.session;
    expect((await send('/oauth/revoke', form({ token: token! }))).status).toBe(200);
    expect((await server.api.get('/v1/session', alice.session.token)).status).toBe(401);
    expect((await server.api.refresh(token)).status).toBe(401);
  });

  it('ends no session of another application by its refresh token', async () => {
    const other = await server.createApplication();
    const { refresh_token: token } = alice.session;
    expect((await send('/oauth/revoke', form({ token: token! }), authorization(other))).status).toBe(200);
    expect((await server.api.get('/v1/session', alice.session.token)).status).toBe(200);
  });
});
