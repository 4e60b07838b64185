import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, type Begun } from '../support/api-client.js';
import { AdministrationDouble } from '../support/chat/administration-double.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiary, ostiaryJson, ServerProcess } from '../support/server-process.js';
import { TestStores } from '../support/test-stores.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

interface Event {
  readonly type: string;
  readonly data: { readonly session_id: number };
}

describeOnEachDatabase('processes that end chats', (kind) => {
  let database: TestDatabase;
  let env: Readonly<Record<string, string>>;
  let open: TestStores;
  let double: AdministrationDouble;
  let application: Application;
  let secret: string;
  const running: ServerProcess[] = [];

  beforeEach(async () => {
    database = await createDatabase(kind);
    env = { ...database.env, OUTBOUND_ALLOW: '127.0.0.1' };
    open = await TestStores.open(kind, { database });
    double = await AdministrationDouble.start();
    const app = await ostiaryJson<{ application_id: number; auth_key: string; auth_secret: string }>(
      env,
      ...['apps', 'create', '--name', 'Test'],
    );
    application = {
      id: app.application_id,
      authKey: app.auth_key,
      authSecret: app.auth_secret,
    } as Application;
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.end('SIGKILL');
    await double.close();
    await open.close();
    await database.remove();
  });

  const start = async () => {
    const server = await ServerProcess.start(env);
    running.push(server);
    return server;
  };
  const sql = <Row>(statement: string) =>
    open.transactions.run(() => open.transactions.query<Row>(statement));
  /** As the time that claims are for would do. */
  const letClaimsLapse = () => sql('UPDATE outbox_messages SET due_at = 1 WHERE claimed_by IS NOT NULL');
  const ids = () => double.calls.map(({ headers }) => String(headers['webhook-id']));
  const sessionsTold = () => new Set(double.calls.map(({ body }) => (body as Event).data.session_id));

  /** A chat server by webhook, whose secret is known here. */
  const aChatServer = async (server: ServerProcess) => {
    const signing = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const key = await ostiaryJson<{ chat_client_id: number; secret: string }>(
      env,
      ...['chat-clients', 'create', '--name', 'Test', '--app', String(application.id)],
    );
    secret = key.secret;
    const administration = JSON.stringify({ kind: 'webhook', url: double.url, secret: signing });
    const file = `${database.dataDir}/administration.json`;
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, administration);
    const shown = await ostiaryJson<{ administration: object }>(
      env,
      ...['chat-clients', 'set', '--client', String(key.chat_client_id), '--file', file],
    );
    expect(shown.administration).toEqual({
      kind: 'webhook',
      url: double.url,
      secret: { fingerprint: expect.any(String) },
    });
    return new ApiClient(server.url);
  };
  const logIn = async (api: ApiClient, { session }: Begun) => {
    const body = { username: `${session.user_id}-${application.id}`, password: session.token };
    const headers = { authorization: `Bearer ${secret}` };
    const answer = await api.send<{ allow: boolean }>('POST', '/chat/verify', { body, headers });
    expect(answer.body).toMatchObject({ allow: true });
  };

  it('lose no end by kill -9 between the commit and the delivery, nor in the middle of it', async () => {
    const first = await start();
    const api = await aChatServer(first);
    const alice = await api.user(application, 'alice');
    await logIn(api, alice);
    double.answers(() => 'hang');
    expect((await api.send('DELETE', '/v1/session', { as: alice.session.token })).status).toBe(204);
    await double.seen(1);
    await first.end('SIGKILL');
    const waiting = await sql<{ claimed_by: string | null }>(
      'SELECT claimed_by FROM outbox_messages ORDER BY id',
    );
    expect(waiting).toEqual([
      { claimed_by: expect.stringContaining(`/${first.pid}/`) },
      { claimed_by: null },
    ]);

    double.answers(() => ({ status: 204 }));
    await letClaimsLapse();
    await start();
    await double.seen(3);
    // The one that was cut off came again with the id that it had; and then once more, as each end does.
    const [cut, again, later] = ids();
    expect([again, later === again]).toEqual([cut, false]);
    expect(sessionsTold()).toEqual(new Set([alice.session.id]));
  });

  it('deliver each message by one of them, and go on when one of them is killed', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const api = await aChatServer(first);
    const count = 12;
    await api.signUp(application, { login: 'alice' });
    const sessions: Begun[] = [];
    for (let i = 0; i < count; i += 1) sessions.push(await api.signIn(application, { login: 'alice' }));
    for (const session of sessions) await logIn(api, session);
    const there = new ApiClient(second.url);
    await Promise.all(
      sessions.map(({ session }, i) =>
        (i % 2 ? api : there).send('DELETE', '/v1/session', { as: session.token }),
      ),
    );
    await double.seen(count);
    expect(sessionsTold().size).toBe(count);
    await first.end('SIGKILL');
    await letClaimsLapse();
    await double.seen(2 * count);
    // Nothing is left to either: everything was told once, and once more.
    while ((await sql('SELECT id FROM outbox_messages')).length > 0) await delay(20);
    const delivered = ids();
    expect(new Set(delivered).size).toBe(2 * count);
  });

  it('end the chats of what the command line ended', async () => {
    const api = await aChatServer(await start());
    const alice = await api.user(application, 'alice');
    await logIn(api, alice);
    double.answers(() => ({ status: 500 }));
    const { code } = await ostiary(
      env,
      ...['users', 'disable', '--app', String(application.id), '--user', String(alice.session.user_id)],
    );
    expect(code).toBe(0);
    await double.seen(2);
    const listed = await ostiaryJson<{ items: { message_id: number; topic: string; state: string }[] }>(
      env,
      ...['outbox', 'list'],
    );
    expect(listed.items.map(({ topic }) => topic)).toContain('chat.drop');
    expect((await ostiary(env, 'outbox', 'list')).stdout).toContain('chat.user-disabled.client');
    expect(await ostiaryJson(env, 'outbox', 'list', '--failed')).toEqual({ items: [] });
    expect((await ostiary(env, 'outbox', 'retry')).stderr).toContain('Give --message or --all.');
    expect((await ostiary(env, 'outbox', 'retry', '--message', '999')).stderr).toContain(
      'There is no message 999',
    );

    await sql('UPDATE outbox_messages SET failed_at = 1, due_at = NULL, claimed_by = NULL');
    const failed = await ostiaryJson<{ items: { message_id: number }[] }>(env, 'outbox', 'list', '--failed');
    double.answers(() => ({ status: 204 }));
    const one = String(failed.items[0]!.message_id);
    expect(await ostiaryJson(env, 'outbox', 'retry', '--message', one)).toMatchObject({ state: 'waiting' });
    expect(await ostiaryJson(env, 'outbox', 'retry', '--all')).toEqual({ retried: failed.items.length - 1 });
    while ((await sql('SELECT id FROM outbox_messages')).length > 0) await delay(20);
  });
});
