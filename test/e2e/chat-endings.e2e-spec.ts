import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import { ApplicationEndedTopic } from '../../src/chat/endings/application-ended.topic.js';
import { ONCE_MORE_AFTER_MILLISECONDS } from '../../src/chat/endings/chat-drop.js';
import { EndLapsedChatsJob } from '../../src/chat/endings/end-lapsed-chats.job.js';
import { ChatLogins } from '../../src/chat/endings/chat-logins.js';
import { JobRunner } from '../../src/jobs/job-runner.js';
import { OutboxDesk } from '../../src/outbox/outbox-desk.js';
import { OutboxRunner } from '../../src/outbox/outbox-runner.js';
import { SessionChecker } from '../../src/session/session-checker.js';
import type { Session } from '../../src/session/session.js';
import { SessionService } from '../../src/session/session.service.js';
import { UserStatusService } from '../../src/session/user-status.service.js';
import { PASSWORD, type Begun } from '../support/api-client.js';
import { AdministrationDouble } from '../support/chat/administration-double.js';
import { ChatServer } from '../support/chat/chat-server.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const HOUR = 3600;

interface EventBody {
  readonly type: string;
  readonly data: { readonly session_id: number | null; readonly reason: string; readonly user_id: number };
}

describeOnEachDatabase('the end of a session', (kind) => {
  let server: TestApp;
  let rows: DatabaseRows;
  let double: AdministrationDouble;
  let application: Application;
  let chat: ChatServer;
  let alice: Begun;
  let users = 0;

  beforeAll(async () => {
    server = await TestApp.start(kind, { env: { OUTBOUND_ALLOW: '127.0.0.1' } });
    rows = new DatabaseRows(server);
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    await rows.run('DELETE FROM outbox_messages');
    await rows.run('DELETE FROM chat_logins');
    await rows.run('UPDATE chat_clients SET revoked_at = 1');
    double = await AdministrationDouble.start();
    await useApplication();
  });
  afterEach(() => double.close());

  const useApplication = async (settings: Record<string, unknown> = {}) => {
    application = await server.createApplication({ refresh_tokens: true, chat_password: true, ...settings });
    chat = await aChatServer();
    alice = await server.api.user(application, `alice-${(users += 1)}`);
  };
  const aChatServer = (administration: object | null = { kind: 'webhook', secret: WEBHOOK_SECRET }) =>
    ChatServer.create(server, application, administration && { url: double.url, ...administration });
  const nameOf = ({ session }: Begun) => `${session.user_id}-${session.application_id}`;
  const logIn = async (who: Begun, { secret = who.session.token, at = chat, domain = 'chat.local' } = {}) => {
    const { body } = await at.verify(nameOf(who), secret, domain);
    return (JSON.parse(body) as { allow: boolean }).allow;
  };
  const again = () => server.api.signIn(application, { login: `alice-${users}` });
  /** Delivers what is due now. */
  const deliver = () => server.app.get(OutboxRunner, { strict: false }).runDue();
  const endings = () =>
    double.calls.map(({ body }) => body as EventBody).filter(({ type }) => type === 'session.ended');
  /** What was told at once, and then once more: the same. */
  const ended = async () => {
    await deliver();
    const atOnce = endings().map(({ data }) => [data.session_id, data.reason]);
    server.clock.advance({ milliseconds: ONCE_MORE_AFTER_MILLISECONDS - 1 });
    await deliver();
    expect(endings()).toHaveLength(atOnce.length);
    server.clock.advance({ milliseconds: 1 });
    await deliver();
    expect(endings().map(({ data }) => [data.session_id, data.reason])).toEqual([...atOnce, ...atOnce]);
    return atOnce;
  };
  const end = (who: Begun) => server.api.send('DELETE', '/v1/session', { as: who.session.token });
  const sessionOf = (who: Begun): Promise<Session> =>
    Promise.resolve(server.app.get(SessionChecker, { strict: false }).check(who.session.token));
  const remembered = () => rows.run<{ session_id: number }>('SELECT session_id FROM chat_logins ORDER BY id');

  it('ends the chats that it opened, at once and once more when every process has heard of it', async () => {
    expect(await logIn(alice)).toBe(true);
    await end(alice);
    expect(await ended()).toEqual([[alice.session.id, 'ended']]);
    expect(double.calls[0]).toMatchObject({
      headers: { 'webhook-signature': expect.stringMatching(/^v1,/) },
      body: {
        data: { application_id: application.id, user_id: alice.session.user_id, username: nameOf(alice) },
      },
    });
    expect(await remembered()).toEqual([]);
  });

  it('tells nobody where it opened none', async () => {
    await end(alice);
    const outbox = server.app.get(OutboxDesk, { strict: false });
    expect(await outbox.list({ isFailed: false, afterId: 0, limit: 10 })).toEqual([]);
  });

  it('leaves the chats of the same user that another session opened', async () => {
    const other = await again();
    for (const who of [alice, other]) await logIn(who);
    await end(alice);
    expect(await ended()).toEqual([[alice.session.id, 'ended']]);
    expect((await remembered()).map(({ session_id }) => session_id)).toEqual([other.session.id]);
  });

  it('is told to every chat server that it was let in at, each by its own means', async () => {
    const prosody = await aChatServer({ kind: 'prosody', secret: 'a-secret' });
    const none = await aChatServer(null);
    for (const at of [chat, prosody, none]) expect(await logIn(alice, { at })).toBe(true);
    await end(alice);
    await deliver();
    expect(double.calls.map(({ path }) => path).sort()).toEqual(['/', '/session-broker/kick']);
    expect(double.calls.find(({ path }) => path !== '/')!.body).toEqual({
      username: nameOf(alice),
      session_ids: [alice.session.id],
    });
    expect(server.log).toContain('chat not ended: the chat client has no administration');
  });

  it('reaches every connection at message brokers: a name by which it would not be found is not let in', async () => {
    const rabbitmq = await aChatServer({ kind: 'rabbitmq', user: 'ostiary', password: 'pw' });
    const ask = async (username: string) => {
      const body = new URLSearchParams({ username, password: alice.session.token, vhost: '/' }).toString();
      return (await rabbitmq.askByPath('/rabbitmq/user', { body })).body;
    };
    expect(await ask(`${nameOf(alice)}@any.example`)).toBe('deny');
    expect(await ask(`${nameOf(alice)}@`)).toBe('deny');
    expect(await ask(nameOf(alice))).toBe('allow');
    const credentials = { username: `${nameOf(alice)}@any.example`, password: alice.session.token };
    const mqtt = async (path: string, headers: Record<string, string> = {}) =>
      (await rabbitmq.ask(path, { body: JSON.stringify(credentials), headers })).body;
    expect(await mqtt('/mqtt/emqx')).toBe('{"result":"deny"}');
    expect(await mqtt('/mqtt/vernemq', { 'vernemq-hook': 'auth_on_register' })).toContain('not_allowed');
    expect((await rabbitmq.ask('/mqtt/user', { body: JSON.stringify(credentials) })).status).toBe(403);
    await end(alice);
    await deliver();
    expect(double.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `DELETE /api/connections/username/${nameOf(alice)}`,
    ]);
  });

  it('is told once however often the session logged in, and whatever token it has by now', async () => {
    for (let i = 0; i < 3; i += 1) await logIn(alice);
    const refreshed = await server.api.refresh(alice.session.refresh_token);
    alice = { session: refreshed.body.session };
    for (let i = 0; i < 3; i += 1) expect(await logIn(alice)).toBe(true);
    expect(await remembered()).toHaveLength(1);
    await end(alice);
    expect(await ended()).toEqual([[alice.session.id, 'ended']]);
  });

  describe('by whichever way', () => {
    it.each<[string, string, () => Promise<unknown>]>([
      [
        'the user ends it from another one',
        'ended_by_user',
        async () => {
          const other = await again();
          await server.api.send('DELETE', `/v1/users/me/sessions/${alice.session.id}`, {
            as: other.session.token,
          });
        },
      ],
      [
        'the user ends all others',
        'ended_by_user',
        async () => {
          const other = await again();
          await logIn(other);
          await server.api.send('DELETE', '/v1/users/me/sessions', { as: other.session.token });
        },
      ],
      [
        'the user signs out of it',
        'signed_out',
        () => server.api.send('DELETE', '/v1/session/user', { as: alice.session.token }),
      ],
      [
        'somebody else signs in on it',
        'signed_over',
        async () => {
          await server.api.signUp(application, { login: `bob-${users}` });
          const body = { provider: 'password', credential: { login: `bob-${users}`, password: PASSWORD } };
          await server.api.send('PUT', '/v1/session/user', { as: alice.session.token, body });
        },
      ],
      [
        'its refresh token is presented by two',
        'refresh_replayed',
        async () => {
          const first = alice.session.refresh_token;
          await server.api.refresh(first);
          server.clock.advance({ seconds: 11 });
          await server.api.refresh(first);
        },
      ],
      [
        'the user gets another password from another one',
        'password_changed',
        async () => {
          const other = await again();
          const body = { old_password: PASSWORD, password: 'another good long password' };
          const { status } = await server.api.send('PUT', '/v1/users/me/password', {
            as: other.session.token,
            body,
          });
          expect(status).toBe(200);
        },
      ],
      [
        'the user is disabled',
        'user_disabled',
        () =>
          server.app
            .get(UserStatusService, { strict: false })
            .setDisabled(application.id, alice.session.user_id!, true),
      ],
      [
        'all of the application are ended',
        'application_ended',
        () => server.app.get(SessionService, { strict: false }).endAllOfApplication(application.id),
      ],
    ])('ends the chat when %s', async (_way, reason, act) => {
      await logIn(alice);
      await act();
      expect(await ended()).toEqual([[alice.session.id, reason]]);
    });
  });

  it('leaves the chat of a session on which the same user signs in again', async () => {
    await logIn(alice);
    const body = { provider: 'password', credential: { login: `alice-${users}`, password: PASSWORD } };
    const renewed = await server.api.send<Begun>('PUT', '/v1/session/user', {
      as: alice.session.token,
      body,
    });
    expect(renewed.status).toBe(200);
    expect(await ended()).toEqual([]);
    await end(renewed.body);
    expect(await ended()).toEqual([[alice.session.id, 'ended']]);
  });

  it('by a new password leaves the chat of the session that goes on, and ends those that the old one opened', async () => {
    const other = await again();
    for (const who of [alice, other]) await logIn(who);
    expect(await logIn(alice, { secret: PASSWORD })).toBe(true);
    const body = { old_password: PASSWORD, password: 'another good long password' };
    const changed = await server.api.send<Begun>('PUT', '/v1/users/me/password', {
      as: alice.session.token,
      body,
    });
    expect(await ended()).toEqual([
      [other.session.id, 'password_changed'],
      [null, 'password_changed'],
    ]);
    expect(await logIn(alice, { secret: 'another good long password' })).toBe(true);
    await end(changed.body);
    double.calls.length = 0;
    expect(await ended()).toEqual([[alice.session.id, 'ended']]);
    expect((await remembered()).map(({ session_id }) => session_id)).toEqual([0]);
  });

  it('of a disabled user is of everything, and told to chat servers that never saw them, once', async () => {
    const stranger = await aChatServer();
    const prosody = await aChatServer({ kind: 'prosody', secret: 'a-secret' });
    await logIn(alice, { at: prosody });
    await logIn(alice, { at: prosody, secret: PASSWORD });
    const statuses = server.app.get(UserStatusService, { strict: false });
    await statuses.setDisabled(application.id, alice.session.user_id!, true);
    await deliver();
    const events = double.calls.filter(({ path }) => path === '/').map(({ body }) => body);
    const data = { application_id: application.id, user_id: alice.session.user_id };
    expect(stranger.id).not.toBe(chat.id);
    expect(events).toEqual(
      [1, 2].map(() => ({ type: 'user.disabled', timestamp: expect.any(String), data })),
    );
    expect(double.calls.filter(({ path }) => path !== '/').map(({ body }) => body)).toEqual([
      { username: nameOf(alice) },
    ]);
    expect(await logIn(alice, { at: prosody, secret: PASSWORD })).toBe(false);
  });

  describe('while the administration of the chat server', () => {
    beforeEach(async () => {
      await logIn(alice);
    });

    it.each<[string, () => void | Promise<void>, () => void | Promise<void>]>([
      [
        'refuses',
        () => double.answers(() => ({ status: 401 })),
        () => double.answers(() => ({ status: 200 })),
      ],
      [
        'is broken',
        () => double.answers(() => ({ status: 500 })),
        () => double.answers(() => ({ status: 200 })),
      ],
      ['hangs up', () => double.answers(() => 'hang up'), () => double.answers(() => ({ status: 200 }))],
      ['is down', () => double.goDown(), () => double.comeBack()],
    ])('%s, waits, and drops the connection when it is back', async (_how, goes, returns) => {
      await goes();
      await end(alice);
      for (let i = 0; i < 5; i += 1) {
        await deliver();
        server.clock.advance({ seconds: 20 });
      }
      const desk = server.app.get(OutboxDesk, { strict: false });
      const waiting = await desk.list({ isFailed: false, afterId: 0, limit: 10 });
      expect(waiting.map(({ topic }) => topic)).toEqual(['chat.drop', 'chat.drop']);
      expect(waiting[0]!.attempts).toBeGreaterThan(1);

      await returns();
      double.calls.length = 0;
      server.clock.advance({ minutes: 5 });
      await deliver();
      expect(endings().map(({ data }) => data.session_id)).toEqual([alice.session.id, alice.session.id]);
      expect(await desk.list({ isFailed: false, afterId: 0, limit: 10 })).toEqual([]);
    });

    it('is away for a day, gives up, says so, and drops it when an operator says so', async () => {
      double.answers(() => ({ status: 500 }));
      await end(alice);
      server.clock.advance({ days: 1, seconds: 5 });
      await deliver();
      server.clock.advance({ seconds: 10 });
      await deliver();
      const key = await server.createAdminKey('operator');
      const failed = await server.api.get<{ items: { message_id: number }[] }>(
        '/admin/v1/outbox?failed=true',
        key,
      );
      expect(failed.body.items).toMatchObject([
        { topic: 'chat.drop', state: 'failed', last_error: 'http_500', due_at: null },
        { topic: 'chat.drop', state: 'failed' },
      ]);
      double.answers(() => ({ status: 200 }));
      double.calls.length = 0;
      const one = await server.api.send(
        'POST',
        `/admin/v1/outbox/${failed.body.items[0]!.message_id}/retry`,
        {
          as: key,
        },
      );
      expect(one.body).toMatchObject({ state: 'waiting', attempts: 0 });
      server.clock.advance({ seconds: 5 });
      await deliver();
      expect(endings()).toHaveLength(1);
      const rest = await server.api.send('POST', '/admin/v1/outbox/retry', { as: key });
      expect(rest.body).toEqual({ retried: 1 });
      await deliver();
      expect(endings()).toHaveLength(2);
      expect((await server.api.send('POST', '/admin/v1/outbox/1/retry', { as: key })).status).toBe(404);
      expect((await server.api.send('POST', '/admin/v1/outbox/9x/retry', { as: key })).status).toBe(404);
    });
  });

  describe('at the moment of a login', () => {
    const remember = async (who: Begun, session: Session | null, credentialVersion: number | null = null) =>
      server.app.get(ChatLogins, { strict: false }).remember({
        chatClientId: chat.id,
        applicationId: application.id,
        userId: who.session.user_id!,
        session,
        credentialVersion,
        userName: nameOf(who),
        domain: null,
      });

    it.each<[string, () => Promise<unknown>]>([
      ['ended', () => end(alice)],
      ['signed out', () => server.api.send('DELETE', '/v1/session/user', { as: alice.session.token })],
      [
        'ended with all of the application',
        () => server.app.get(SessionService, { strict: false }).endAllOfApplication(application.id),
      ],
    ])('lets nobody in with a session that was %s after it was found in force', async (_how, act) => {
      const session = await sessionOf(alice);
      await act();
      await expect(remember(alice, session)).rejects.toMatchObject({ code: 'session_ended' });
      expect(await remembered()).toEqual([]);
    });

    it("lets nobody in with a session that is somebody else's by now", async () => {
      const session = await sessionOf(alice);
      const bob = await server.api.user(application, `bob-${users}`);
      await expect(remember(bob, session)).rejects.toMatchObject({ code: 'session_ended' });
    });

    it('lets nobody in with a password that was changed, or of a user who was disabled, after it was verified', async () => {
      await remember(alice, null, 0).catch(() => undefined);
      const version = (await remembered()).length === 1 ? 0 : 1;
      await rows.run('DELETE FROM chat_logins');
      await expect(remember(alice, null, version + 1)).rejects.toMatchObject({ code: 'invalid_credentials' });
      await remember(alice, null, version);
      await rows.disableUser(alice.session.user_id!);
      await expect(remember(alice, null, version)).rejects.toMatchObject({ code: 'invalid_credentials' });
    });

    it('asks the database once for each session, and without a promise afterwards', async () => {
      const session = await sessionOf(alice);
      const logins = server.app.get(ChatLogins, { strict: false });
      const login = {
        chatClientId: chat.id,
        applicationId: application.id,
        userId: alice.session.user_id!,
        session,
        credentialVersion: null,
        userName: nameOf(alice),
        domain: null,
      };
      const first = logins.remember(login);
      expect(first).toBeInstanceOf(Promise);
      await first;
      expect(logins.remember(login)).toBeUndefined();
    });

    it('remembers a session anew that was signed out and in again, though its token stayed', async () => {
      const sessions = server.app.get(SessionService, { strict: false });
      await logIn(alice);
      const credential = await rows.run<{ credential_version: number }>(
        'SELECT credential_version FROM users WHERE id = :id',
        { id: alice.session.user_id },
      );
      const who = {
        as: 'local',
        userId: alice.session.user_id!,
        credentialVersion: credential[0]!.credential_version,
      } as const;
      const { session } = await sessions.downgrade(await sessionOf(alice), 'keep');
      await sessions.upgrade(session, { application, who }, 'keep');
      expect(await logIn(alice)).toBe(true);
      expect(await remembered()).toHaveLength(1);
      await ended();
      double.calls.length = 0;
      await end(alice);
      expect(await ended()).toEqual([[alice.session.id, 'ended']]);
    });

    it('remembers it anew in a process, too, that another one did not tell', async () => {
      const beside = await TestApp.start(kind, { database: server.database });
      try {
        expect(await logIn(alice)).toBe(true);
        const there = beside.app.get(SessionService, { strict: false });
        const credential = await rows.run<{ credential_version: number }>(
          'SELECT credential_version FROM users WHERE id = :id',
          { id: alice.session.user_id },
        );
        const who = {
          as: 'local',
          userId: alice.session.user_id!,
          credentialVersion: credential[0]!.credential_version,
        } as const;
        const { session } = await there.downgrade(await sessionOf(alice), 'keep');
        beside.clock.advance({ milliseconds: server.clock.now() - beside.clock.now() + 1000 });
        await there.upgrade(session, { application, who }, 'keep');
        // Past the bound within which a process may go by what it knows.
        server.clock.advance({ seconds: 2 });
        expect(await logIn(alice)).toBe(true);
        expect(await remembered()).toHaveLength(1);
      } finally {
        await beside.stop();
      }
    });
  });

  describe('by a limit', () => {
    const lapse = async () => {
      await server.app.get(SessionChecker, { strict: false }).touches.flush();
      await server.app.get(JobRunner, { strict: false }).runNow('end-lapsed-chats');
    };

    it('ends the chat past the absolute end', async () => {
      await useApplication({ session_absolute_seconds: HOUR });
      await logIn(alice);
      server.clock.advance({ seconds: HOUR - 1 });
      await lapse();
      expect(await ended()).toEqual([]);
      await lapse();
      expect(await ended()).toEqual([[alice.session.id, 'expired']]);
      await lapse();
      server.clock.advance({ days: 2 });
      await server.app.get(JobRunner, { strict: false }).runNow('purge-sessions');
      await lapse();
      double.calls.length = 0;
      expect([await ended(), await remembered()]).toEqual([[], []]);
    });

    it('ends the chat again of a session that a refresh has brought back, when it lapses again or is ended', async () => {
      await useApplication({ chat_ends_when_idle: true });
      await logIn(alice);
      server.clock.advance({ seconds: 3 * HOUR });
      await lapse();
      expect(await ended()).toEqual([[alice.session.id, 'idle']]);
      for (const act of [lapse, () => end(alice)]) {
        alice = { session: (await server.api.refresh(alice.session.refresh_token)).body.session };
        expect(await logIn(alice)).toBe(true);
        double.calls.length = 0;
        if (act === lapse) server.clock.advance({ seconds: 3 * HOUR });
        await act();
        expect(await ended()).toHaveLength(1);
      }
    });

    it('ends the chat of a session that a looser limit has brought back, when it is ended', async () => {
      await useApplication({ session_absolute_seconds: 24 * HOUR });
      await logIn(alice);
      const applications = server.app.get(ApplicationsService, { strict: false });
      await applications.set(application.id, { session_absolute_seconds: 1 });
      server.clock.advance({ seconds: 2 });
      await lapse();
      expect(await ended()).toEqual([[alice.session.id, 'expired']]);
      await applications.set(application.id, { session_absolute_seconds: 24 * HOUR });
      double.calls.length = 0;
      await end(alice);
      expect(await ended()).toEqual([[alice.session.id, 'ended']]);
    });

    it('ends the chat of an idle session only where the application wants it', async () => {
      await logIn(alice);
      server.clock.advance({ seconds: 3 * HOUR });
      await lapse();
      expect([await ended(), (await remembered()).length]).toEqual([[], 1]);
      await useApplication({ chat_ends_when_idle: true });
      await logIn(alice);
      server.clock.advance({ seconds: HOUR });
      await lapse();
      expect(await ended()).toEqual([]);
      server.clock.advance({ seconds: 3 * HOUR });
      await lapse();
      expect(await ended()).toEqual([[alice.session.id, 'idle']]);
    });

    it('ends the chat at the absolute end of a session that idled out and is long removed', async () => {
      await useApplication({ refresh_tokens: false, session_absolute_seconds: 10 * 24 * HOUR });
      await logIn(alice);
      server.clock.advance({ days: 3 });
      await server.app.get(JobRunner, { strict: false }).runNow('purge-sessions');
      expect(await rows.run('SELECT id FROM sessions WHERE id = :id', { id: alice.session.id })).toEqual([]);
      await lapse();
      expect([await ended(), (await remembered()).length]).toEqual([[], 1]);
      server.clock.advance({ days: 7 });
      await lapse();
      expect(await ended()).toEqual([[alice.session.id, 'expired']]);
    });

    it('leaves chats of living sessions and those that a password opened', async () => {
      await logIn(alice);
      await logIn(alice, { secret: PASSWORD });
      await lapse();
      expect([await ended(), (await remembered()).length]).toEqual([[], 2]);
    });
  });

  it('of ten thousand is one message, worked off in pieces, none of which is large', async () => {
    const [sessionsEach, count] = [40, 10_000];
    const { id } = application;
    await rows.run(
      `INSERT INTO chat_logins (chat_client_id, application_id, user_id, session_id, user_name, domain, first_at)
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
       SELECT ${chat.id}, ${id}, 1 + i / ${sessionsEach}, 1 + i, 'user', '', 0 FROM n`,
    );
    const message = {
      id: 1,
      topic: 'chat.application-ended',
      target: 'application',
      payload: { application_id: id, up_to_session_id: count },
      attempts: 0,
      createdAt: 0,
      giveUpAt: 0,
    };
    const topic = server.app.get(ApplicationEndedTopic, { strict: false });
    const left = async () => (await remembered()).length;
    expect([await topic.deliver(message), await left()]).toEqual(['again', count - 200]);
    await rows.run('DELETE FROM outbox_messages');
    await rows.run(`INSERT INTO sessions (id, application_id, kind, amr, token_hash, created_at, started_at, last_used_at)
      VALUES (${1_000_000 + users}, ${id}, 'application', '[]', 'last-${users}', 0, 0, 0)`);
    await server.app.get(SessionService, { strict: false }).endAllOfApplication(id);
    expect(await rows.run('SELECT topic FROM outbox_messages')).toHaveLength(1);
    await deliver();
    expect(await left()).toBe(0);
    const told = new Set(endings().map(({ data }) => data.session_id));
    expect(told.size).toBe(count - 200);
  }, 120_000);

  it('is told without any secret in what is stored or logged', async () => {
    const prosody = await aChatServer({ kind: 'prosody', secret: 'not-for-anybody-else' });
    double.answers(() => ({ status: 500, body: { error: 'a text of theirs' } }));
    await logIn(alice, { at: prosody });
    await end(alice);
    await deliver();
    const dump = `${await rows.dump()}\n${server.log}`;
    for (const secret of ['not-for-anybody-else', 'a text of theirs', alice.session.token, prosody.secret]) {
      expect(dump).not.toContain(secret);
    }
    expect(dump).toContain('http_500');
  });

  it('is looked for by an index, however many logins are remembered', async () => {
    expect(server.app.get(EndLapsedChatsJob, { strict: false }).everySeconds).toBe(300);
    const plan = await rows.explain(
      `DELETE FROM chat_logins WHERE session_id IN (7) AND user_id <> 0 RETURNING *`,
      {},
    );
    expect(plan).toMatch(/Index Scan|USING (COVERING )?INDEX/);
    expect(plan).not.toMatch(/Seq Scan|SCAN chat_logins/);
  });
});
