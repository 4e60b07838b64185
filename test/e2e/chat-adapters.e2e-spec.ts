import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import type { Begun } from '../support/api-client.js';
import { ChatServer, type Sent } from '../support/chat/chat-server.js';
import type { RawAnswer } from '../support/raw-http.js';
import { TestApp } from '../support/test-app.js';

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/** Status, content type and body of an answer, byte for byte. */
type Shape = readonly [status: number, contentType: string | undefined, body: string];

const empty = (status: number): Shape => [status, undefined, ''];
const text = (body: string, status = 200): Shape => [status, TEXT_TYPE, body];
const json = (body: object, status = 200): Shape => [status, JSON_TYPE, JSON.stringify(body)];

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString();
const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** What one kind of chat server sends for a user and a secret, and what it has to be told. */
interface Recorded {
  readonly what: string;
  readonly path: (user: string, secret: string) => string;
  readonly sent: (user: string, secret: string) => Sent;
  /** Reached by the secret in the path alone. */
  readonly isByPath?: boolean;
  readonly yes: (known: Known) => Shape;
  readonly no: Shape;
  /** It sends no user name: whose token it is, is what it wants to know. */
  readonly namesNobody?: boolean;
}

interface Known {
  readonly userId: number;
  readonly applicationId: number;
  readonly sessionId: number;
  /** In seconds. */
  readonly expires: number;
  /** In seconds. */
  readonly absoluteEnd: number;
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const JSON_HEADERS = { 'Content-Type': 'application/json' };

const recorded: readonly Recorded[] = [
  {
    what: 'Prosody mod_auth_http, ejabberd-contrib auth_http and MongooseIM: check_password',
    path: (user, pass) => `/xmpp/check_password?${form({ user, server: 'chat.local', pass })}`,
    sent: () => ({}),
    yes: () => text('true'),
    no: text('false'),
  },
  {
    what: 'check_password by POST',
    path: () => '/xmpp/check_password',
    sent: (user, pass) => ({
      headers: { 'Content-Type': 'application/x/www-form-urlencoded' },
      body: form({ user, server: 'chat.local', pass }),
    }),
    yes: () => text('true'),
    no: text('false'),
  },
  {
    what: 'Prosody mod_auth_custom_http, whose JSON is called a form',
    path: () => '/xmpp/login',
    sent: (username, password) => ({ headers: FORM, body: JSON.stringify({ username, password }) }),
    yes: () => text('true'),
    no: text('false'),
  },
  {
    what: 'Prosody mod_auth_http_async',
    path: () => '/basic',
    isByPath: true,
    sent: (user, secret) => ({ headers: { Authorization: basic(user, secret) } }),
    yes: () => empty(200),
    no: empty(401),
  },
  {
    what: 'RabbitMQ user by POST',
    path: () => '/rabbitmq/user',
    isByPath: true,
    sent: (username, password) => ({ headers: FORM, body: form({ username, password }) }),
    yes: () => text('allow'),
    no: text('deny'),
  },
  {
    what: 'RabbitMQ user by GET, from its MQTT plugin',
    path: (username, password) =>
      `/rabbitmq/user?${form({ username, password, vhost: '/', client_id: 'mqttjs_1' })}`,
    sent: () => ({}),
    yes: () => text('allow'),
    no: text('deny'),
  },
  {
    what: 'EMQX',
    path: () => '/mqtt/emqx',
    sent: (username, password) => ({ headers: JSON_HEADERS, body: JSON.stringify({ username, password }) }),
    yes: ({ absoluteEnd }) => json({ result: 'allow', is_superuser: false, expire_at: absoluteEnd }),
    no: json({ result: 'deny' }),
  },
  {
    what: 'mosquitto-go-auth with JSON',
    path: () => '/mqtt/user',
    isByPath: true,
    sent: (username, password) => ({
      headers: JSON_HEADERS,
      body: JSON.stringify({ username, password, clientid: 'c1' }),
    }),
    yes: () => empty(200),
    no: empty(403),
  },
  {
    what: 'mosquitto-go-auth with a form',
    path: () => '/mqtt/user',
    isByPath: true,
    sent: (username, password) => ({ headers: FORM, body: form({ username, password, clientid: 'c1' }) }),
    yes: () => empty(200),
    no: empty(403),
  },
  ...['auth_on_register', 'auth_on_register_m5'].map((hook): Recorded => ({
    what: `VerneMQ ${hook}`,
    path: () => '/mqtt/vernemq',
    isByPath: true,
    sent: (username, password) => ({
      headers: { ...JSON_HEADERS, 'vernemq-hook': hook },
      body: JSON.stringify({
        username,
        password,
        client_id: 'c1',
        mountpoint: '',
        peer_addr: '127.0.0.1',
        peer_port: 8888,
        clean_session: true,
      }),
    }),
    yes: () => json({ result: 'ok' }),
    no: json({ result: { error: 'not_allowed' } }),
  })),
  {
    what: 'forward with the user’s token as a bearer',
    path: () => '/forward',
    isByPath: true,
    namesNobody: true,
    sent: (_, secret) => ({ headers: { Authorization: `Bearer ${secret}` } }),
    yes: () => empty(200),
    no: empty(401),
  },
  {
    what: 'forward with HTTP Basic, of another method and path',
    path: () => '/forward/rooms/1?a=b',
    isByPath: true,
    sent: (user, secret) => ({ method: 'DELETE', headers: { Authorization: basic(user, secret) } }),
    yes: () => empty(200),
    no: empty(401),
  },
  {
    what: 'ejabberd OAuth look-up',
    path: () => '/ejabberd/oauth/lookup',
    namesNobody: true,
    sent: (_, token) => ({ headers: JSON_HEADERS, body: JSON.stringify({ token }) }),
    yes: ({ userId, applicationId, expires }) =>
      json({ user: `${userId}-${applicationId}@localhost`, scope: ['sasl_auth'], expire: expires }),
    no: empty(404),
  },
  {
    what: 'ejabberd OAuth look-up with its host in the path',
    path: () => '/ejabberd/chat.local/oauth/lookup',
    namesNobody: true,
    sent: (_, token) => ({ headers: JSON_HEADERS, body: JSON.stringify({ token }) }),
    yes: ({ userId, applicationId, expires }) =>
      json({ user: `${userId}-${applicationId}@chat.local`, scope: ['sasl_auth'], expire: expires }),
    no: empty(404),
  },
  {
    what: 'Synapse',
    path: () => '/_matrix-internal/identity/v1/check_credentials',
    sent: (user, password) => ({
      headers: JSON_HEADERS,
      body: JSON.stringify({ user: { id: `@${user}:matrix.local`, password } }),
    }),
    yes: ({ userId, applicationId }) =>
      json({ auth: { success: true, mxid: `@${userId}-${applicationId}:matrix.local` } }),
    no: json({ auth: { success: false } }),
  },
  {
    what: 'Centrifugo with the token in the client’s data',
    path: () => '/centrifugo/connect',
    namesNobody: true,
    sent: (_, token) => ({
      headers: JSON_HEADERS,
      body: JSON.stringify({
        client: '9336a229-2400-4ebc-8c50-0a643d22e8a0',
        transport: 'websocket',
        protocol: 'json',
        encoding: 'json',
        data: { token },
      }),
    }),
    yes: ({ userId, absoluteEnd }) => json({ result: { user: String(userId), expire_at: absoluteEnd } }),
    no: json({ disconnect: { code: 4501, reason: 'unauthorized' } }),
  },
];

describe('recorded questions of chat servers', () => {
  let server: TestApp;
  let application: Application;
  let chat: ChatServer;
  let alice: Begun;
  let bob: Begun;
  let known: Known;
  let users = 0;

  beforeAll(async () => {
    server = await TestApp.start('sqlite', {
      env: {
        TURN: 'north-remembers',
        OSTIARY_CHAT__TURN: '{urls: ["turn:t.local:3478"], secret: {env: TURN}}',
      },
    });
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    application = await server.createApplication();
    chat = await ChatServer.create(server, application);
    users += 1;
    alice = await server.api.user(application, `alice-${users}`);
    bob = await server.api.user(application, `bob-${users}`);
    known = {
      userId: alice.session.user_id!,
      applicationId: application.id,
      sessionId: alice.session.id,
      expires: Date.parse(alice.session.expires_at!) / 1000,
      absoluteEnd: (server.clock.now() + application.settings.session_absolute_seconds * 1000) / 1000,
    };
  });

  const nameOf = ({ session }: Begun) => `${session.user_id}-${application.id}`;
  const shapeOf = ({ status, headers, body }: RawAnswer): Shape => [
    status,
    headers.get('content-type'),
    body,
  ];
  const ask = ({ path, sent, isByPath }: Recorded, user: string, secret: string) =>
    isByPath
      ? chat.askByPath(path(user, secret), sent(user, secret))
      : chat.ask(path(user, secret), sent(user, secret));

  describe.each(recorded)('$what', (question) => {
    const { no, yes, namesNobody } = question;

    it('has its own words for yes', async () => {
      const answer = await ask(question, nameOf(alice), alice.session.token);
      expect(shapeOf(answer)).toEqual(yes(known));
      expect(answer.headers.get('content-length')).toBe(String(Buffer.byteLength(answer.body)));
      expect(answer.headers.get('cache-control')).toBe('no-store');
    });

    it('has its own words for no, and one no for every reason', async () => {
      const { token } = alice.session;
      const other = await server.createApplication();
      const secrets: [user: string, secret: string][] = [
        [nameOf(alice), `osta_${'A'.repeat(43)}`],
        [nameOf(alice), 'a password'],
        [nameOf(alice), (await server.api.applicationSession(application)).token],
        [nameOf(alice), (await server.api.user(other, 'carol')).session.token],
      ];
      const names = [
        nameOf(bob),
        `${known.userId}-${other.id}`,
        `0${nameOf(alice)}`,
        '1-99999999999',
        'alice',
      ];
      if (!namesNobody) secrets.push(...names.map((name): [string, string] => [name, token]));
      for (const [user, secret] of secrets) {
        expect([user, ...shapeOf(await ask(question, user, secret))]).toEqual([user, ...no]);
      }
    });

    it('is no from the moment on at which the session ends', async () => {
      await ask(question, nameOf(alice), alice.session.token);
      await server.api.send('DELETE', '/v1/session', { as: alice.session.token });
      expect(shapeOf(await ask(question, nameOf(alice), alice.session.token))).toEqual(no);
    });

    it('is no for an application that has its chat off', async () => {
      await server.app.get(ApplicationsService, { strict: false }).set(application.id, { chat: false });
      expect(shapeOf(await ask(question, nameOf(alice), alice.session.token))).toEqual(no);
    });

    it('is an empty 401 for whoever is no chat client', async () => {
      const [user, secret] = [nameOf(alice), alice.session.token];
      const answers = [
        await chat.send(`/chat${question.path(user, secret)}`, question.sent(user, secret)),
        await chat.send(
          `/chat/c/oscc_${'A'.repeat(43)}${question.path(user, secret)}`,
          question.sent(user, secret),
        ),
      ];
      expect(answers.map(({ status, body }) => [status, body])).toEqual([
        [401, ''],
        [401, ''],
      ]);
    });
  });

  it('tell a proxy who it is', async () => {
    const { headers } = await chat.askByPath('/forward', {
      headers: { Authorization: `Bearer ${alice.session.token}` },
    });
    expect(Object.fromEntries([...headers].filter(([name]) => /^x-(user|app|session)/.test(name)))).toEqual({
      'x-user-id': String(known.userId),
      'x-app-id': String(known.applicationId),
      'x-session-id': String(known.sessionId),
      'x-session-expires': String(known.expires),
    });
  });

  it('leave a body that is the proxied request’s own alone', async () => {
    const headers = { Authorization: `Bearer ${alice.session.token}` };
    const { status } = await chat.askByPath('/forward', {
      method: 'PUT',
      headers,
      body: 'x'.repeat(100_000),
    });
    expect(status).toBe(200);
  });

  it('challenge the user where the header is the user’s', async () => {
    const answers = [await chat.askByPath('/basic'), await chat.askByPath('/forward')];
    expect(answers.map(({ status, headers }) => [status, headers.get('www-authenticate')])).toEqual([
      [401, 'Basic realm="ostiary chat", charset="UTF-8"'],
      [401, 'Bearer realm="ostiary chat"'],
    ]);
  });

  it('know an account with a session, without one or disabled, and no other', async () => {
    const exists = async (user: string) => {
      const answer = await chat.ask(`/xmpp/user_exists?${form({ user, server: 'chat.local' })}`);
      expect(answer.status).toBe(200);
      return answer.body;
    };
    await server.api.send('DELETE', '/v1/session', { as: alice.session.token });
    expect(await exists(nameOf(alice))).toBe('true');
    const key = await server.createAdminKey('operator');
    await server.api.send('POST', `/admin/v1/applications/${application.id}/users/${known.userId}/disable`, {
      as: key,
    });
    expect(await exists(nameOf(alice))).toBe('true');
    expect(await exists(`999999-${application.id}`)).toBe('false');
    expect(await exists(`${known.userId}-${application.id + 1}`)).toBe('false');
  });

  it.each(['register', 'set_password', 'remove_user', 'remove_user_validate', 'get_password'])(
    'may not manage accounts: %s',
    async (method) => {
      const answers = [
        await chat.ask(`/xmpp/${method}?user=${nameOf(alice)}&server=chat.local`),
        await chat.ask(`/xmpp/${method}`, { body: `user=${nameOf(alice)}&pass=x` }),
      ];
      expect(answers.map(shapeOf)).toEqual([empty(501), empty(501)]);
    },
  );

  describe('about rights', () => {
    const rabbit = async (what: string, fields: Record<string, string>) =>
      (await chat.askByPath(`/rabbitmq/${what}`, { body: form({ username: nameOf(alice), ...fields }) }))
        .body;
    const resource = (resource: string, name: string, permission: string) =>
      rabbit('resource', { vhost: '/', resource, name, permission, tags: '' });

    it('let RabbitMQ’s users into the virtual hosts of the configuration', async () => {
      expect(await rabbit('vhost', { vhost: '/', ip: '127.0.0.1', tags: '' })).toBe('allow');
      expect(await rabbit('vhost', { vhost: 'other', ip: '127.0.0.1', tags: '' })).toBe('deny');
      expect(await rabbit('vhost', { vhost: '/', username: 'guest' })).toBe('deny');
    });

    it('let RabbitMQ’s users have queues of their own, and use no exchange but amq.topic', async () => {
      const own = nameOf(alice);
      expect(await resource('queue', `${own}.inbox`, 'configure')).toBe('allow');
      expect(await resource('queue', own, 'read')).toBe('allow');
      expect(await resource('queue', `${own}0`, 'read')).toBe('deny');
      expect(await resource('queue', `${nameOf(bob)}.inbox`, 'read')).toBe('deny');
      expect(await resource('queue', 'amq.gen-x', 'configure')).toBe('allow');
      expect(await resource('exchange', 'amq.topic', 'write')).toBe('allow');
      expect(await resource('exchange', 'amq.topic', 'configure')).toBe('deny');
      expect(await resource('exchange', 'amq.default', 'write')).toBe('deny');
      expect(await resource('exchange', 'amq.topic', 'everything')).toBe('deny');
      expect(await resource('cluster', 'amq.topic', 'read')).toBe('deny');
    });

    it('answer for every protocol by the same topics', async () => {
      const shared = await ChatServer.create(server);
      const username = nameOf(alice);
      const [own, foreign] = [`${application.id}/rooms/1`, `${application.id + 1}/rooms/1`];
      const may = async (client: ChatServer, topic: string) => [
        (await client.ask('/mqtt/acl', { body: JSON.stringify({ username, clientid: 'c', topic, acc: 2 }) }))
          .status === 200,
        (await client.ask('/mqtt/acl', { body: form({ username, clientid: 'c', topic, acc: '4' }) }))
          .status === 200,
        (await client.ask('/mqtt/emqx/acl', { body: JSON.stringify({ username, topic, action: 'publish' }) }))
          .body === '{"result":"allow"}',
        (
          await client.ask('/mqtt/vernemq', {
            headers: { 'vernemq-hook': 'auth_on_publish' },
            body: JSON.stringify({ username, topic, qos: 1, payload: '', retain: false }),
          })
        ).body === '{"result":"ok"}',
        (
          await client.ask('/mqtt/vernemq', {
            headers: { 'vernemq-hook': 'auth_on_subscribe_m5' },
            body: JSON.stringify({ username, topics: [{ topic, qos: 0 }] }),
          })
        ).body === '{"result":"ok"}',
        (
          await client.ask('/rabbitmq/topic', {
            body: form({
              username,
              vhost: '/',
              resource: 'topic',
              name: 'amq.topic',
              permission: 'write',
              routing_key: topic.replaceAll('/', '.'),
            }),
          })
        ).body === 'allow',
      ];
      expect(await may(chat, own)).toEqual(Array(6).fill(true));
      expect(await may(chat, foreign)).toEqual(Array(6).fill(true));
      expect(await may(shared, own)).toEqual(Array(6).fill(true));
      expect(await may(shared, foreign)).toEqual(Array(6).fill(false));
    });

    it('make nobody a superuser', async () => {
      expect(shapeOf(await chat.ask('/mqtt/superuser', { body: form({ username: nameOf(alice) }) }))).toEqual(
        empty(403),
      );
    });

    it('know no hook of VerneMQ but those', async () => {
      for (const hook of ['on_deliver', 'auth_on_register_m6', '']) {
        const { body } = await chat.ask('/mqtt/vernemq', {
          headers: { 'vernemq-hook': hook },
          body: JSON.stringify({ username: nameOf(alice), password: alice.session.token }),
        });
        expect([hook, body]).toEqual([hook, '{"result":{"error":"not_allowed"}}']);
      }
    });
  });

  it('come from Synapse at the root as well', async () => {
    const { body } = await chat.send('/_matrix-internal/identity/v1/check_credentials', {
      headers: { Authorization: `Bearer ${chat.secret}` },
      body: JSON.stringify({ user: { id: `@${nameOf(alice)}:m.local`, password: alice.session.token } }),
    });
    expect(JSON.parse(body)).toMatchObject({ auth: { success: true } });
  });

  it('come from Centrifugo with the user’s own header where it names itself in the path', async () => {
    const sent = {
      headers: { Authorization: `Bearer ${alice.session.token}` },
      body: '{"client":"x","data":null}',
    };
    const byPath = await chat.askByPath('/centrifugo/connect', sent);
    expect(JSON.parse(byPath.body)).toMatchObject({ result: { user: String(known.userId) } });
    const byHeader = await chat.ask('/centrifugo/connect', { body: '{"client":"x","data":null}' });
    expect(JSON.parse(byHeader.body)).toMatchObject({ disconnect: { code: 4501 } });
  });

  it('end a connection with the idle session where the application says so', async () => {
    const applications = server.app.get(ApplicationsService, { strict: false });
    await applications.set(application.id, { chat_ends_when_idle: true });
    const { body } = await chat.ask('/mqtt/emqx', {
      body: JSON.stringify({ username: nameOf(alice), password: alice.session.token }),
    });
    expect(JSON.parse(body)).toMatchObject({ expire_at: known.expires });
  });

  describe('for TURN credentials', () => {
    const turn = (token: string) => server.api.get<Record<string, unknown>>('/chat/turn', token);

    it('are answered as coturn computes them', async () => {
      const { status, body } = await turn(alice.session.token);
      const { createHmac } = await import('node:crypto');
      const username = `${server.clock.now() / 1000 + 600}:${nameOf(alice)}`;
      const credential = createHmac('sha1', 'north-remembers').update(username).digest('base64');
      expect([status, body]).toEqual([
        200,
        {
          ice_servers: [{ urls: ['turn:t.local:3478'], username, credential }],
          expires_at: new Date(server.clock.now() + 600_000).toISOString(),
        },
      ]);
    });

    it('want a user’s session', async () => {
      expect((await turn(`osta_${'A'.repeat(43)}`)).status).toBe(401);
      expect((await turn((await server.api.applicationSession(application)).token)).status).toBe(403);
    });
  });
});

describe('TURN credentials without a TURN server', () => {
  it('are not there', async () => {
    const server = await TestApp.start('sqlite');
    try {
      const { session } = await server.api.user(await server.createApplication(), 'alice');
      expect((await server.api.get('/chat/turn', session.token)).status).toBe(404);
    } finally {
      await server.stop();
    }
  });
});
