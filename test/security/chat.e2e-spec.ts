import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Application } from '../../src/applications/application.js';
import { AuditLog } from '../../src/audit/audit-log.js';
import { authorization, type Begun } from '../support/api-client.js';
import { ChatServer } from '../support/chat/chat-server.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { exchange, sendRaw } from '../support/raw-http.js';
import { TestApp } from '../support/test-app.js';

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString();

/** Every way to ask whether somebody may log in. */
const QUESTIONS: readonly ((
  chat: ChatServer,
  user: string,
  secret: string,
) => Promise<{ body: string; status: number }>)[] = [
  (chat, user, secret) => chat.verify(user, secret),
  (chat, user, pass) => chat.ask('/xmpp/check_password', { body: form({ user, server: '', pass }) }),
  (chat, username, password) => chat.ask('/rabbitmq/user', { body: form({ username, password }) }),
  (chat, username, password) => chat.ask('/mqtt/user', { body: form({ username, password }) }),
  (chat, user, secret) =>
    chat.askByPath('/forward', {
      headers: { Authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}` },
    }),
];

/** No answer that any of their servers would take for a yes. */
const isNo = ({ status, body }: { status: number; body: string }) =>
  status !== 200 || body === 'false' || body === 'deny' || body === '{"allow":false}';

describeOnEachDatabase('chat servers', (kind) => {
  let server: TestApp;
  let application: Application;
  let chat: ChatServer;
  let alice: Begun;
  let users = 0;

  beforeAll(async () => {
    server = await TestApp.start(kind, { env: { OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '1000000' } });
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    application = await server.createApplication();
    chat = await ChatServer.create(server, application);
    alice = await server.api.user(application, `alice-${(users += 1)}`);
  });

  const nameOf = ({ session }: Begun, of = application) => `${session.user_id}-${of.id}`;
  const answers = (user: string, secret: string) =>
    Promise.all(QUESTIONS.map((question) => question(chat, user, secret)));
  const allNo = async (user: string, secret: string) => (await answers(user, secret)).map(isNo);
  const NO = QUESTIONS.map(() => true);
  const YES = QUESTIONS.map(() => false);

  it('S-21 deny a revoked token at once, whichever protocol asks', async () => {
    expect(await allNo(nameOf(alice), alice.session.token)).toEqual(YES);
    await server.api.send('DELETE', '/v1/session', { as: alice.session.token });
    expect(await allNo(nameOf(alice), alice.session.token)).toEqual(NO);
  });

  it('S-21 deny a token that another process has ended, within two seconds', async () => {
    const second = await TestApp.start(kind, { database: server.database });
    try {
      expect(await allNo(nameOf(alice), alice.session.token)).toEqual(YES);
      await second.api.send('DELETE', '/v1/session', { as: alice.session.token });
      server.clock.advance({ seconds: 2 });
      expect(await allNo(nameOf(alice), alice.session.token)).toEqual(NO);
    } finally {
      await second.stop();
    }
  });

  it('S-21 deny the token of an application session', async () => {
    const { token } = await server.api.applicationSession(application);
    expect(await allNo(nameOf(alice), token)).toEqual(NO);
  });

  it('S-21 deny the token of a session whose user has signed out on it', async () => {
    const answer = await server.api.send<{ session: { token: string } }>('DELETE', '/v1/session/user', {
      as: alice.session.token,
    });
    expect(await allNo(nameOf(alice), alice.session.token)).toEqual(NO);
    expect(await allNo(nameOf(alice), answer.body.session.token)).toEqual(NO);
  });

  it('S-21 deny the token of a guest who has idled out', async () => {
    const guest = await server.api.guest(application);
    expect(await allNo(nameOf(guest), guest.session.token)).toEqual(YES);
    server.clock.advance({ days: 31 });
    expect(await allNo(nameOf(guest), guest.session.token)).toEqual(NO);
  });

  it('S-21 deny the token of a user for the name of another one, also of another application', async () => {
    const bob = await server.api.user(application, `bob-${users}`);
    const elsewhere = await server.createApplication();
    expect(await allNo(nameOf(bob), alice.session.token)).toEqual(NO);
    expect(await allNo(nameOf(alice, elsewhere), alice.session.token)).toEqual(NO);
  });

  it('S-21 deny the token of a disabled user', async () => {
    const key = await server.createAdminKey('operator');
    const path = `/admin/v1/applications/${application.id}/users/${alice.session.user_id}/disable`;
    await server.api.send('POST', path, { as: key });
    expect(await allNo(nameOf(alice), alice.session.token)).toEqual(NO);
  });

  it('S-21 take no other spelling of a name for the same user', async () => {
    const [user, app] = [String(alice.session.user_id), String(application.id)];
    const fullWidth = user.replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));
    const spellings = [
      `0${user}-${app}`,
      `${user}-0${app}`,
      `+${user}-${app}`,
      ` ${user}-${app}`,
      `${user}-${app} `,
      `${user}-${app}\n`,
      `${user}-${app}\0`,
      `${user}--${app}`,
      `${user}-${app}-1`,
      `${user}.0-${app}`,
      `${fullWidth}-${app}`,
      `${user}-${app}/resource`,
      `${user}\u2010${app}`,
      `${user}-${app}@a@b`,
    ];
    for (const spelling of spellings) {
      const { body } = await chat.verify(spelling, alice.session.token);
      expect([spelling, body]).toEqual([spelling, '{"allow":false}']);
    }
  });

  it('S-22 are nobody without the secret of a chat client, and are told nothing', async () => {
    const headers: Record<string, string>[] = [
      {},
      { Authorization: 'Basic' },
      { Authorization: 'Bearer ' },
      { Authorization: `Bearer ${chat.secret.slice(0, -1)}` },
      { Authorization: `Bearer ${chat.secret}x` },
      { Authorization: `Bearer ${alice.session.token}` },
      { Authorization: authorization(application) },
      { Authorization: `Basic ${Buffer.from(`0${chat.id}:${chat.secret}`).toString('base64')}` },
    ];
    const body = JSON.stringify({ username: nameOf(alice), password: alice.session.token });
    const refused = new Set<string>();
    for (const header of headers) {
      for (const path of [
        '/chat/verify',
        '/chat/xmpp/user_exists',
        '/chat/mqtt/acl',
        '/chat/rabbitmq/vhost',
      ]) {
        const answer = await chat.send(path, { headers: header, body });
        refused.add(answer.text.replace(/(date|x-request-id): .*\r\n/gi, ''));
      }
    }
    expect(refused.size).toBe(1);
    expect([...refused][0]).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('S-22 are kept to their own application’s users', async () => {
    const other = await ChatServer.create(server, await server.createApplication());
    const told = await Promise.all(
      QUESTIONS.map((question) => question(other, nameOf(alice), alice.session.token)),
    );
    expect(told.map(isNo)).toEqual(NO);
    const { body } = await other.ask(`/xmpp/user_exists?${form({ user: nameOf(alice), server: 'x' })}`);
    expect(body).toBe('false');
  });

  it('S-22 leave strangers no more of the database than a few look-ups at once', async () => {
    const strangers = Array.from({ length: 200 }, (_, i) =>
      chat.send('/chat/verify', {
        headers: { Authorization: `Bearer oscc_${String(i).padStart(43, '0')}` },
        body: '{}',
      }),
    );
    const mine = chat.verify(nameOf(alice), alice.session.token);
    expect(new Set((await Promise.all(strangers)).map(({ status }) => status))).toEqual(new Set([401]));
    expect((await mine).status).not.toBe(503);
  });

  it('S-25 are told nothing of a token without credentials, or with wrong ones', async () => {
    const { token } = alice.session;
    for (const Authorization of [
      undefined,
      'Bearer x',
      `Bearer ${token}`,
      authorization({ ...application, authSecret: 'as_wrong' }),
    ]) {
      for (const path of ['/oauth/introspect', '/oauth/revoke']) {
        const headers: Record<string, string> = Authorization === undefined ? {} : { Authorization };
        const answer = await chat.send(path, { headers, body: form({ token }) });
        expect([answer.status, answer.body]).toEqual([401, '{"error":"invalid_client"}']);
        expect(answer.headers.get('www-authenticate')).toBe('Basic realm="ostiary", charset="UTF-8"');
      }
    }
    expect((await server.api.get('/v1/session', token)).status).toBe(200);
  });

  it('S-25 see and end nothing of another application, and cannot tell it from nothing', async () => {
    const other = await server.createApplication();
    const foreign = await ChatServer.create(server, other);
    const callers = [authorization(other), `Bearer ${foreign.secret}`];
    for (const Authorization of callers) {
      for (const token of [alice.session.token, `osta_${'A'.repeat(43)}`, 'rubbish']) {
        const introspected = await chat.send('/oauth/introspect', {
          headers: { Authorization },
          body: form({ token }),
        });
        expect([introspected.status, introspected.body]).toEqual([200, '{"active":false}']);
        const revoked = await chat.send('/oauth/revoke', {
          headers: { Authorization },
          body: form({ token }),
        });
        expect([revoked.status, revoked.body]).toEqual([200, '']);
      }
    }
    expect((await server.api.get('/v1/session', alice.session.token)).status).toBe(200);
  });

  it('S-25 may see and end what is theirs, and leave a record of it', async () => {
    const headers = { Authorization: authorization(application) };
    const body = form({ token: alice.session.token });
    const seen = await chat.send('/oauth/introspect', { headers, body });
    expect(JSON.parse(seen.body)).toMatchObject({ active: true, username: nameOf(alice) });
    expect((await chat.send('/oauth/revoke', { headers, body })).status).toBe(200);
    expect((await chat.send('/oauth/introspect', { headers, body })).body).toBe('{"active":false}');
    expect((await chat.send('/oauth/revoke', { headers, body })).status).toBe(200);
    const entries = await server.app
      .get(AuditLog, { strict: false })
      .read({ limit: 1000, applicationId: application.id });
    expect(entries.filter(({ act }) => act === 'session.ended')).toMatchObject([
      { actor: { kind: 'application', id: String(application.id) }, sessionId: alice.session.id },
    ]);
  });

  it('find nothing below /chat, /oauth and /_matrix-internal but what is there', async () => {
    const long = 'x'.repeat(300);
    const targets = [
      '/chat/',
      '/chat/unknown',
      '/chat/verify/',
      '/chat/verify/x',
      '/chat/Verify',
      '/chat//verify',
      '/chat/%zz',
      `/chat/c/${long}/verify`,
      `/chat/c/${chat.secret}`,
      `/chat/c/${chat.secret}/unknown`,
      '/chat/index.html',
      '/oauth/unknown',
      '/oauth/%zz',
      '/_matrix-internal/identity/v1/bulk_lookup',
    ];
    for (const target of targets) {
      const headers = { Authorization: `Bearer ${chat.secret}` };
      const { status, body } = await chat.send(target, { headers });
      expect([target, status, body]).toEqual([target, 404, '']);
    }
  });

  it('may use no other method', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']) {
      const { status, body, headers } = await chat.ask('/verify', { method });
      expect([method, status, body, headers.get('allow')]).toEqual([method, 405, '', 'POST']);
    }
  });

  it('may send no more than 64 kB', async () => {
    const big = JSON.stringify({ username: nameOf(alice), password: 'x'.repeat(70_000) });
    const told = await chat.ask('/verify', { body: big });
    expect([told.status, told.body]).toEqual([413, '']);
    const head = `POST /chat/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${chat.secret}\r\n`;
    const chunk = `${(66_000).toString(16)}\r\n${'x'.repeat(66_000)}\r\n0\r\n\r\n`;
    const chunked = await exchange(server.url, `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`);
    expect([chunked.status, chunked.body]).toEqual([413, '']);
  });

  it('let nobody in by rubbish, and break nothing with it', async () => {
    const paths = [
      '/verify',
      '/xmpp/check_password',
      '/xmpp/login',
      '/rabbitmq/user',
      '/rabbitmq/resource',
      '/rabbitmq/topic',
      '/mqtt/emqx',
      '/mqtt/emqx/acl',
      '/mqtt/user',
      '/mqtt/acl',
      '/mqtt/vernemq',
      '/centrifugo/connect',
      '/ejabberd/oauth/lookup',
      '/_matrix-internal/identity/v1/check_credentials',
    ];
    const before = server.log.length;
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record({
          username: fc.oneof(fc.constant(nameOf(alice)), fc.string(), fc.anything()),
          user: fc.oneof(fc.constant(nameOf(alice)), fc.string(), fc.anything()),
          password: fc.oneof(fc.string({ unit: 'binary' }), fc.anything()),
          pass: fc.string({ unit: 'binary' }),
          token: fc.oneof(fc.string(), fc.anything()),
          data: fc.anything(),
          topic: fc.string(),
          topics: fc.anything(),
          acc: fc.anything(),
        })
        .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
      fc.dictionary(fc.string(), fc.string()).map((fields) => Buffer.from(form(fields))),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), bodies, async (path, body) => {
        const { status, body: said, text } = await chat.ask(path, { body });
        expect([200, 403, 404]).toContain(status);
        const words = ['{"allow":false}', 'false', 'deny', '{"result":"deny"}', ''];
        words.push('{"result":{"error":"not_allowed"}}', '{"auth":{"success":false}}');
        words.push('{"disconnect":{"code":4501,"reason":"unauthorized"}}');
        expect(words).toContain(said);
        if (said === '') expect(status).not.toBe(200);
        expect(text).not.toMatch(/node_modules|Error|SQL/);
      }),
      { numRuns: 150 },
    );
    expect(server.log.slice(before)).not.toContain('"level":"error"');
  });

  it('leave nothing of tokens, secrets and passwords in the log, in metrics or in the database', async () => {
    const { token } = alice.session;
    await chat.verify(nameOf(alice), token);
    await chat.askByPath(`/xmpp/check_password?${form({ user: nameOf(alice), server: 'x', pass: token })}`);
    await chat.askByPath(
      `/xmpp/check_password?${form({ user: nameOf(alice), server: 'x', pass: 'hunter2' })}`,
    );
    await chat.askByPath('/unknown');
    await sendRaw(server.url, { method: 'GET', target: `/chat/c/${chat.secret}/%zz?pass=${token}` });
    const texts = [
      server.log,
      (await server.api.get('/metrics')).text,
      await new DatabaseRows(server).dump(),
    ];
    for (const secret of [token.slice(5), chat.secret.slice(5), 'hunter2']) {
      expect(texts.map((text) => text.includes(secret))).toEqual([false, false, false]);
    }
  });
});
