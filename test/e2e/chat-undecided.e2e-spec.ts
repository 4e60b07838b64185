import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { authorization, type Begun } from '../support/api-client.js';
import type { Application } from '../../src/applications/application.js';
import { Stores } from '../../src/persistence/stores.js';
import { ChatServer } from '../support/chat/chat-server.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

describeOnEachDatabase('a chat server that asks while the database is away', (kind) => {
  let server: TestApp;
  let application: Application;
  let chat: ChatServer;
  let alice: Begun;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    application = await server.createApplication();
    chat = await ChatServer.create(server, application);
    alice = await server.api.user(application, 'alice');
    await chat.verify(`${alice.session.user_id}-${application.id}`, alice.session.token);
    await server.app.get(Stores, { strict: false }).close();
    server.clock.advance({ seconds: 3 });
  });
  afterAll(() => server.stop().catch(() => undefined));

  it.each([
    [
      '/verify',
      (user: string, secret: string) => ({ body: JSON.stringify({ username: user, password: secret }) }),
    ],
    [
      '/xmpp/check_password',
      (user: string, pass: string) => ({ body: JSON.stringify({ user, pass, server: '' }) }),
    ],
    [
      '/rabbitmq/user',
      (username: string, password: string) => ({ body: JSON.stringify({ username, password }) }),
    ],
    [
      '/mqtt/emqx',
      (username: string, password: string) => ({ body: JSON.stringify({ username, password }) }),
    ],
    [
      '/mqtt/user',
      (username: string, password: string) => ({ body: JSON.stringify({ username, password }) }),
    ],
    ['/centrifugo/connect', (_: string, token: string) => ({ body: JSON.stringify({ data: { token } }) })],
    ['/ejabberd/oauth/lookup', (_: string, token: string) => ({ body: JSON.stringify({ token }) })],
    ['/forward', (_: string, token: string) => ({ headers: { Authorization: `Bearer ${token}` } })],
  ])('is told neither yes nor no at %s', async (path, sent) => {
    const user = `${alice.session.user_id}-${application.id}`;
    const { status, body } = await chat.askByPath(path, sent(user, alice.session.token));
    expect([status, body]).toEqual([503, '']);
  });

  it('is told so in the words of OAuth', async () => {
    const { status, body } = await chat.send('/oauth/introspect', {
      headers: { Authorization: authorization(application) },
      body: `token=${alice.session.token}`,
    });
    expect([status, body]).toEqual([503, '{"error":"temporarily_unavailable"}']);
  });
});
