import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD } from '../support/api-client.js';
import { auditEntries } from '../support/audit-entries.js';
import { DatabaseRows } from '../support/database-rows.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiary, ostiaryJson, REPOSITORY } from '../support/server-process.js';
import { TestApp } from '../support/test-app.js';

/** Each test starts processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

interface Key {
  admin_key_id: number;
  name: string | null;
  role: string;
  key: string;
}

describeOnEachDatabase('commands beside a running server', (kind) => {
  let server: TestApp;
  let env: Readonly<Record<string, string>>;
  let application: Application;
  const app = () => ['--app', String(application.id)];

  beforeAll(async () => {
    server = await TestApp.start(kind);
    env = server.database.env;
    application = await server.createApplication();
  });
  afterAll(() => server.stop());

  it('let a chat server ask, list it without its secret, give it another one, and refuse it', async () => {
    interface Made {
      chat_client_id: number;
      secret: string;
    }
    const created = await ostiaryJson<Made>(env, 'chat-clients', 'create', '--name', 'prosody', ...app());
    expect(created).toEqual({
      chat_client_id: expect.any(Number),
      name: 'prosody',
      application_id: application.id,
      secret: expect.stringMatching(/^oscc_[A-Za-z0-9_-]{43}$/),
    });
    const ask = async (secret: string) =>
      (await server.api.send('POST', '/chat/verify', { as: secret, body: {} })).status;
    const client = ['--client', String(created.chat_client_id)];
    expect(await ask(created.secret)).toBe(200);
    const listed = await ostiary(env, 'chat-clients', 'list', ...app());
    expect(listed.stdout).toMatch(/prosody +\d+ +none/);
    expect(listed.stdout).not.toContain(created.secret.slice(5));
    await ostiaryJson(env, 'chat-clients', 'set', ...client, '--name', 'ejabberd');
    expect(await ostiaryJson(env, 'chat-clients', 'show', ...client)).toMatchObject({ name: 'ejabberd' });
    const rotated = await ostiaryJson<Made>(env, 'chat-clients', 'rotate-secret', ...client);
    server.clock.advance({ seconds: 2 });
    expect([await ask(created.secret), await ask(rotated.secret)]).toEqual([401, 200]);
    await ostiaryJson(env, 'chat-clients', 'revoke', ...client);
    server.clock.advance({ seconds: 2 });
    expect(await ask(rotated.secret)).toBe(401);
    const unknown = await ostiary(env, 'chat-clients', 'show', '--client', '999');
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      expect.stringContaining('There is no chat client 999.'),
    ]);
  });

  it('make a key that opens the admin API, list it without itself, and revoke it', async () => {
    const args = ['create', '--role', 'viewer', '--name', 'monitoring'];
    const created = await ostiaryJson<Key>(env, 'admin-keys', ...args);
    expect(created).toEqual({
      admin_key_id: expect.any(Number),
      name: 'monitoring',
      role: 'viewer',
      key: expect.stringMatching(/^osad_[A-Za-z0-9_-]{43}$/),
    });
    const ask = async () => (await server.api.get('/admin/v1/applications', created.key)).status;
    expect(await ask()).toBe(200);
    const listed = await ostiary(env, 'admin-keys', 'list');
    expect(listed.stdout).toMatch(/monitoring +viewer/);
    expect(listed.stdout).not.toContain(created.key.slice(5));
    await ostiaryJson(env, 'admin-keys', 'revoke', '--key', String(created.admin_key_id));
    expect(await ask()).toBe(401);
    const { items } = await ostiaryJson<{ items: object[] }>(env, 'admin-keys', 'list');
    expect(items).toContainEqual({
      admin_key_id: created.admin_key_id,
      name: 'monitoring',
      role: 'viewer',
      created_at: expect.any(String),
      last_used_at: expect.any(String),
      revoked_at: expect.any(String),
    });
    expect((await auditEntries(server, 'admin_key.created', 'admin_key.revoked')).slice(-2)).toMatchObject([
      { actor: { kind: 'command_line' }, details: { admin_key_id: created.admin_key_id, role: 'viewer' } },
      { actor: { kind: 'command_line' }, details: { admin_key_id: created.admin_key_id } },
    ]);
  });

  it('shut a user out and let them in again', async () => {
    const { user } = await server.api.user(application, 'alice');
    const user_id = user!.id;
    const signIn = async () => {
      const body = { provider: 'password', credential: { login: 'alice', password: PASSWORD } };
      return (await server.api.send('POST', '/v1/sessions', { as: application, body })).status;
    };
    const users = (word: string) => ostiaryJson(env, 'users', word, ...app(), '--user', String(user_id));
    expect(await users('disable')).toEqual({ user_id, disabled: true });
    expect(await signIn()).toBe(401);
    const rows = new DatabaseRows(server);
    expect(await rows.run('SELECT end_reason FROM sessions WHERE user_id = :user_id', { user_id })).toEqual([
      { end_reason: 'user_disabled' },
    ]);
    expect(await users('enable')).toEqual({ user_id, disabled: false });
    expect(await signIn()).toBe(201);
    expect(await auditEntries(server, 'user.disabled', 'user.enabled')).toMatchObject([
      { userId: user_id, actor: { kind: 'command_line', id: expect.any(String) }, requestId: null },
      { userId: user_id, actor: { kind: 'command_line' } },
    ]);
  });

  it('end every session of an application', async () => {
    const { session } = await server.api.guest(application);
    await ostiaryJson(env, 'apps', 'end-sessions', ...app());
    server.clock.advance({ seconds: 2 });
    expect((await server.api.get('/v1/session', session.token)).status).toBe(401);
  });
});

describe('a command that cannot be meant', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase('sqlite');
    await ostiaryJson(database.env, 'apps', 'create', '--name', 'Demo');
  });
  afterAll(() => database.remove());

  it.each([
    [['admin-keys', 'create', '--role', 'root'], /viewer, operator, owner/],
    [['admin-keys', 'create'], /--role/],
    [['admin-keys', 'create', '--role', 'owner', '--name', ' '], /1 to 100/],
    [['admin-keys', 'revoke', '--key', '99999'], /no admin key 99999/],
    [['admin-keys', 'revoke', '--key', 'osad_x'], /admin_key_id/],
    [['users', 'disable', '--app', '1', '--user', '99999'], /no user 99999 in application 1/],
    [['users', 'disable', '--app', '1', '--user', '99999999999'], /user_id/],
    [['users', 'enable', '--app', '1'], /--user/],
    [['apps', 'end-sessions', '--app', '99999'], /no application 99999/],
    [['audit', 'export', '--since', 'yesterday'], /--since takes a time/],
    [['audit', 'export', '--until', '2026-13-01'], /--until takes a time/],
    [['audit', 'export', '--app', 'x'], /application_id/],
  ])('%j fails with a sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await ostiary(database.env, ...args);
    expect({ failed: code !== 0, stdout, stderr }).toEqual({
      failed: true,
      stdout: '',
      stderr: expect.stringMatching(sentence),
    });
  });
});

describe('audit export into a pipe', () => {
  let server: TestApp;
  beforeAll(async () => {
    server = await TestApp.start('sqlite');
    const rows = new DatabaseRows(server);
    // More than a pipe holds, so that whoever writes notices that nobody reads.
    await rows.run(
      `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5000)
       INSERT INTO audit_entries (at, actor_kind, act, outcome, details)
       SELECT n, 'system', 'sign_in', 'done', '{}' FROM numbers`,
    );
  });
  afterAll(() => server.stop());

  it.each(['', '--json'])('that is closed after the first line ends without a word (%s)', (json) => {
    const { PATH = '' } = process.env;
    const shell = `node dist/cli.js audit export ${json} | head -c 100; exit "\${PIPESTATUS[0]}"`;
    const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', shell], {
      cwd: REPOSITORY,
      env: { PATH, ...server.database.env },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toHaveLength(100);
  });
});
