import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AdminKeysService } from '../../src/admin-keys/admin-keys.service.js';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import type { AuditAct } from '../../src/audit/audit-acts.js';
import { AuditEntryRepository } from '../../src/audit/audit-entry.repository.js';
import { SessionService } from '../../src/session/session.service.js';
import { authorization, PASSWORD, type Begun } from '../support/api-client.js';
import { auditEntries } from '../support/audit-entries.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { ostiary, ostiaryJson } from '../support/server-process.js';
import { TestApp } from '../support/test-app.js';

/** Some tests start processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const NEW_PASSWORD = 'another battery staple';

describeOnEachDatabase('the audit log', (kind) => {
  let server: TestApp;
  let rows: DatabaseRows;
  let application: Application;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    rows = new DatabaseRows(server);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    application = await server.createApplication({ public_clients: true, create_user_on_sign_in: true });
    // Beyond every window of the throttle, so that no test counts for the next.
    server.clock.advance({ days: 1 });
  });

  const lastOf = async (...acts: AuditAct[]) => (await auditEntries(server, ...acts)).at(-1);
  const presented = (login: string, password = PASSWORD) => ({
    provider: 'password',
    credential: { login, password },
  });
  const signIn = (login: string, password: string) =>
    server.api.send('POST', '/v1/sessions', { as: application, body: presented(login, password) });

  describe('says who acted', () => {
    const signUp = (as: string | Application) =>
      server.api.send('POST', '/v1/users', { as, body: { login: 'alice', password: PASSWORD } });

    it('the application, for its backend and for its sessions, with the address and the request', async () => {
      for (const as of [application, (await server.api.applicationSession(application)).token]) {
        const answer = await server.api.send<{ user: { id: number } }>('POST', '/v1/users', {
          as,
          body: { login: typeof as === 'string' ? 'alice' : 'bob', password: PASSWORD },
        });
        expect(await lastOf('user.created')).toMatchObject({
          at: server.clock.now(),
          actor: { kind: 'application', id: String(application.id) },
          applicationId: application.id,
          userId: answer.body.user.id,
          address: '127.0.0.1',
          requestId: answer.headers.get('x-request-id'),
          outcome: 'done',
          details: { guest: false },
        });
      }
    });

    it('an app that has only the public key', async () => {
      const names = { application_id: application.id, auth_key: application.authKey };
      const body = { ...names, ...presented('alice') };
      expect((await server.api.send('POST', '/v1/sessions', { body })).status).toBe(201);
      expect(await lastOf('user.created')).toMatchObject({
        actor: { kind: 'client', id: String(application.id) },
      });
    });

    it('the user whose session it is', async () => {
      const { session, user } = await server.api.user(application, 'alice');
      const body = { old_password: PASSWORD, password: NEW_PASSWORD };
      await server.api.send('PUT', '/v1/users/me/password', { as: session.token, body });
      expect(await lastOf('password.changed')).toMatchObject({
        actor: { kind: 'user', id: String(user!.id) },
        userId: user!.id,
        sessionId: session.id,
      });
    });

    it('nobody but the product itself, where no request and no command stands behind it', async () => {
      await server.app.get(ApplicationsService, { strict: false }).set(application.id, { guests: false });
      expect(await lastOf('application.settings_changed')).toMatchObject({
        actor: { kind: 'system', id: null },
        address: null,
        requestId: null,
      });
    });

    it('even when they hang up before they are answered', async () => {
      const { id } = (await signUp(application)).body['user'] as { id: number };
      const body = JSON.stringify(presented('alice', 'wrong'));
      const head = `POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization(application)}\r\n`;
      const length = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      await new Promise<void>((resolve) => socket.write(head + length + body, () => resolve()));
      socket.destroy();
      const entry = await until(async () => {
        const last = await lastOf('sign_in');
        return last?.outcome === 'refused' ? last : undefined;
      });
      expect(entry).toMatchObject({
        userId: id,
        outcome: 'refused',
        actor: { kind: 'application', id: String(application.id) },
        address: '127.0.0.1',
        requestId: expect.any(String),
      });
    });
  });

  describe('has what becomes of sessions', () => {
    it('from the sign-in to the end, with the session, and by whom', async () => {
      const { session, user } = await server.api.user(application, 'alice');
      const about = { applicationId: application.id, userId: user!.id, sessionId: session.id };
      const byUser = { actor: { kind: 'user', id: String(user!.id) }, address: '127.0.0.1' };
      expect(await lastOf('sign_in')).toMatchObject({
        ...about,
        actor: { kind: 'application', id: String(application.id) },
        details: { provider: 'password' },
      });
      const { body } = await server.api.send<Begun>('DELETE', '/v1/session/user', { as: session.token });
      expect(await lastOf('sign_out')).toMatchObject({ ...about, ...byUser });
      const upgraded = await server.api.send<Begun>('PUT', '/v1/session/user', {
        as: body.session.token,
        body: presented('alice'),
      });
      expect(await lastOf('sign_in')).toMatchObject(about);
      await server.api.send('DELETE', '/v1/session', { as: upgraded.body.session.token });
      expect(await lastOf('session.ended')).toMatchObject({ ...about, ...byUser, reason: 'ended' });
    });

    it('of those that the user ends from another one, and of all at once', async () => {
      const { session } = await server.api.user(application, 'alice');
      const [second] = await Promise.all(
        [1, 2, 3].map(() => server.api.signIn(application, { login: 'alice' })),
      );
      await server.api.send('DELETE', `/v1/users/me/sessions/${second!.session.id}`, { as: session.token });
      expect(await lastOf('session.ended')).toMatchObject({
        sessionId: second!.session.id,
        reason: 'ended_by_user',
      });
      await server.api.send('DELETE', '/v1/users/me/sessions', { as: session.token });
      expect(await lastOf('sessions.ended')).toMatchObject({
        userId: session.user_id,
        reason: 'ended_by_user',
        details: { count: 2 },
      });
    });

    it('of a whole application', async () => {
      await server.app.get(SessionService, { strict: false }).endAllOfApplication(application.id);
      expect(await lastOf('application.sessions_ended')).toMatchObject({ applicationId: application.id });
    });

    it('but nothing of sessions in which nobody is signed in', async () => {
      const before = (await auditEntries(server, 'sign_in', 'session.ended')).length;
      const { token } = await server.api.applicationSession(application);
      await server.api.send('DELETE', '/v1/session', { as: token });
      expect(await auditEntries(server, 'sign_in', 'session.ended')).toHaveLength(before);
    });
  });

  describe('has refused sign-ins', () => {
    const refusals = async () =>
      (await auditEntries(server, 'sign_in', 'password.changed')).filter(
        ({ applicationId, outcome }) => applicationId === application.id && outcome === 'refused',
      );

    it('of users who exist, with the reason', async () => {
      const { id } = await server.api.signUp(application, { login: 'alice' });
      await signIn('alice', 'wrong');
      await rows.disableUser(id);
      await signIn('alice', PASSWORD);
      await rows.removePassword(id);
      await signIn('alice', PASSWORD);
      expect(await refusals()).toMatchObject(
        ['wrong_password', 'disabled', 'no_password'].map((reason) => ({
          act: 'sign_in',
          userId: id,
          reason,
          details: { provider: 'password' },
        })),
      );
    });

    it('with a wrong old password as what they are', async () => {
      const { session, user } = await server.api.user(application, 'alice');
      const body = { old_password: 'wrong', password: NEW_PASSWORD };
      await server.api.send('PUT', '/v1/users/me/password', { as: session.token, body });
      expect(await refusals()).toMatchObject([
        { act: 'password.changed', userId: user!.id, reason: 'wrong_password' },
      ]);
    });

    it('of nobody else, as what is typed for a name may be a password', async () => {
      await rows.run('UPDATE applications SET settings = :settings WHERE id = :id', {
        settings: '{}',
        id: application.id,
      });
      server.clock.advance({ seconds: 3 });
      expect((await signIn(PASSWORD, 'alice')).status).toBe(401);
      expect(await refusals()).toEqual([]);
    });

    it('and not each of those that were told to wait', async () => {
      await server.api.signUp(application, { login: 'alice' });
      for (let i = 0; i < 15; i += 1) await signIn('alice', `wrong ${i}`);
      expect(await refusals()).toHaveLength(10);
    });
  });

  it('has guests, and the first password that one is given', async () => {
    const { session, user } = await server.api.guest(application);
    expect(await lastOf('user.created')).toMatchObject({ userId: user!.id, details: { guest: true } });
    const body = { password: PASSWORD, login: 'alice' };
    await server.api.send('PUT', '/v1/users/me/password', { as: session.token, body });
    expect(await lastOf('password.set', 'password.changed')).toMatchObject({
      act: 'password.set',
      userId: user!.id,
    });
  });

  it('has the names of settings that were changed, and not their values', async () => {
    const applications = server.app.get(ApplicationsService, { strict: false });
    await applications.set(application.id, { allowed_origins: ['https://secret.example'], guests: null });
    const entry = await lastOf('application.settings_changed');
    expect(entry!.details).toEqual({ settings: ['allowed_origins', 'guests'] });
    expect(JSON.stringify(entry)).not.toContain('secret.example');
  });

  it('has no sign-up that failed', async () => {
    await server.api.signUp(application, { login: 'alice' });
    const before = await auditEntries(server, 'user.created');
    const body = { login: 'alice', password: PASSWORD };
    expect((await server.api.send('POST', '/v1/users', { as: application, body })).status).toBe(409);
    expect(await auditEntries(server, 'user.created')).toEqual(before);
  });

  it('keeps an act from happening that it cannot enter', async () => {
    const entries = server.app.get(AuditEntryRepository, { strict: false });
    const insert = jest.spyOn(entries, 'insert').mockRejectedValue(new Error('disk full'));
    const body = { login: 'alice', password: PASSWORD };
    const answer = await server.api.send('POST', '/v1/users', { as: application, body });
    insert.mockRestore();
    expect(answer.status).toBe(500);
    expect(await rows.run('SELECT id FROM users WHERE application_id = :id', { id: application.id })).toEqual(
      [],
    );
  });

  it('holds no credential, token, key, secret or identifier of anybody', async () => {
    const { key } = await server.app.get(AdminKeysService, { strict: false }).create('owner', 'the owner');
    const email = 'alice@example.com';
    await server.api.signUp(application, { login: 'alice-login', email, phone: '+15550100' });
    await signIn('alice-login', 'a-wrong-password');
    await signIn('a-password-typed-as-a-name', 'x');
    const { session } = await server.api.signIn(application, { email });
    const body = { old_password: PASSWORD, password: NEW_PASSWORD };
    const renewed = await server.api.send<{ session: { token: string } }>('PUT', '/v1/users/me/password', {
      as: session.token,
      body,
    });
    await server.api.send('DELETE', '/v1/session', { as: renewed.body.session.token });
    const rotate = `/admin/v1/applications/${application.id}/rotate-secret`;
    const rotated = await server.api.send<{ auth_secret: string }>('POST', rotate, { as: key });
    expect(rotated.status).toBe(200);
    const dump = JSON.stringify(await rows.run('SELECT * FROM audit_entries'));
    expect(dump).toContain('application.secret_rotated');
    const secrets = [
      ...[PASSWORD, NEW_PASSWORD, 'a-wrong-password', 'a-password-typed-as-a-name'],
      ...[session.token, renewed.body.session.token, 'osta_', key, 'osad_'],
      ...[application.authSecret, rotated.body.auth_secret, 'as_', application.authKey],
      ...['alice-login', email, '15550100', 'the owner', '$argon2id'],
    ];
    expect(secrets.filter((secret) => dump.includes(secret))).toEqual([]);
  });
});

describeOnEachDatabase('audit export', (kind) => {
  /** More than two pages. */
  const MANY = 2500;
  let server: TestApp;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    env = server.database.env;
    await ostiary(env, 'apps', 'create', '--name', 'Demo');
    const rows = new DatabaseRows(server);
    const numbers =
      kind === 'postgres'
        ? `SELECT n FROM generate_series(1, ${MANY}) AS n`
        : `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${MANY}) SELECT n FROM numbers`;
    await rows.run(
      `INSERT INTO audit_entries (at, actor_kind, act, application_id, outcome, details)
       SELECT 1000 * n, 'system', 'sign_in', 1 + n % 2, 'done', '{}' FROM (${numbers}) AS many`,
    );
  });
  afterAll(() => server.stop());

  const exported = async (...options: string[]) => {
    const { code, stdout, stderr } = await ostiary(env, 'audit', 'export', ...options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };

  it('prints every entry, a line each, in order', async () => {
    const entries = await exported();
    expect(entries).toHaveLength(MANY + 1);
    const times = entries.map(({ at }) => Date.parse(at as string));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(entries.at(-1)).toEqual({
      id: 1,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      actor_kind: 'command_line',
      actor_id: expect.any(String),
      act: 'application.created',
      application_id: 1,
      user_id: null,
      session_id: null,
      address: null,
      request_id: null,
      outcome: 'done',
      reason: null,
      details: {},
    });
  });

  it('prints the same as one document with --json', async () => {
    const { items } = await ostiaryJson<{ items: unknown[] }>(env, 'audit', 'export');
    expect(items).toEqual(await exported());
  });

  it('prints one document where there is nothing', async () => {
    expect(await ostiaryJson(env, 'audit', 'export', '--app', '77')).toEqual({ items: [] });
  });

  it('prints what concerns one application, from one time to another', async () => {
    const range = ['--since', '1970-01-01T00:00:10Z', '--until', '1970-01-01T01:00:14+01:00'];
    const entries = await exported('--app', '2', ...range);
    expect(entries.map(({ at }) => at)).toEqual(['1970-01-01T00:00:11.000Z', '1970-01-01T00:00:13.000Z']);
  });
});

async function until<T>(read: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const found = await read();
    if (found !== undefined || performance.now() > deadline) return found as T;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
