import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { UserRepository } from '../../src/accounts/user.repository.js';
import { PASSWORD, type Answer } from '../support/api-client.js';
import { auditEntries } from '../support/audit-entries.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

interface Shown extends Record<string, unknown> {
  application_id: number;
  auth_key: string;
  auth_secret?: string;
  settings: Record<string, unknown>;
}

interface Page<Item> extends Record<string, unknown> {
  items: Item[];
  next_cursor: string | null;
}

describeOnEachDatabase('the admin API', (kind) => {
  let server: TestApp;
  let application: Application;
  let owner: string;
  let operator: string;
  let viewer: string;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    [owner, operator, viewer] = await Promise.all([
      server.createAdminKey('owner'),
      server.createAdminKey('operator'),
      server.createAdminKey('viewer'),
    ]);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    application = await server.createApplication({}, 'Shop');
  });

  const path = (rest = '') => `/admin/v1/applications/${application.id}${rest}`;
  const post = <Body = Record<string, unknown>>(to: string, as: string, body?: unknown) =>
    server.api.send<Body>('POST', to, { as, ...(body !== undefined && { body }) });
  const patch = (as: string, body: unknown) =>
    server.api.send<Shown>('PATCH', path('/settings'), { as, body });
  const codeOf = ({ status, body }: Answer) => `${status} ${String(body['code'])}`;
  const lives = async (token: string) => (await server.api.get('/v1/session', token)).status === 200;

  it('makes an application whose keys work at once', async () => {
    const made = await post<Shown>('/admin/v1/applications', owner, { name: 'Made here' });
    expect(made).toMatchObject({
      status: 201,
      body: {
        application_id: expect.any(Number),
        name: 'Made here',
        auth_key: expect.stringMatching(/^ak_/),
        auth_secret: expect.stringMatching(/^as_/),
        settings: { guests: true },
        created_at: new Date(server.clock.now()).toISOString(),
      },
    });
    const keys = { ...application, authKey: made.body.auth_key, authSecret: made.body.auth_secret! };
    const session = await server.api.applicationSession(keys);
    expect(session.application_id).toBe(made.body.application_id);
  });

  it.each([{}, { name: '' }, { name: ' ' }, { name: 'x'.repeat(101) }, { name: 'a\nb' }, { name: 7 }])(
    'refuses %j for a new application',
    async (body) => {
      const answer = await post('/admin/v1/applications', owner, body);
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/name' }] } });
    },
  );

  it('lists applications page by page, without secrets', async () => {
    await server.createApplication();
    await server.createApplication();
    const ids: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '?limit=2' : `?limit=2&cursor=${cursor}`;
      const { body }: Answer<Page<Shown>> = await server.api.get(`/admin/v1/applications${query}`, viewer);
      expect(body.items.length).toBeLessThanOrEqual(2);
      ids.push(...body.items.map(({ application_id }) => application_id));
      cursor = body.next_cursor;
    }
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    expect(ids).toContain(application.id);
    expect((await server.api.get('/admin/v1/applications', owner)).text).not.toContain('auth_secret');
  });

  it.each(['?limit=0', '?limit=101', '?limit=x', '?cursor=-1', '?cursor=9999999999', '?page=2'])(
    'refuses the query %s',
    async (query) => {
      const answer = await server.api.get(`/admin/v1/applications${query}`, viewer);
      expect(codeOf(answer)).toBe('422 validation_failed');
    },
  );

  it('shows one application, with its secret to owners alone', async () => {
    const [asViewer, asOperator, asOwner] = await Promise.all(
      [viewer, operator, owner].map((key) => server.api.get<Shown>(path(), key)),
    );
    expect(asViewer!.body).toEqual({
      application_id: application.id,
      name: 'Shop',
      auth_key: application.authKey,
      settings: application.settings,
      created_at: new Date(application.createdAt).toISOString(),
    });
    expect(asOperator!.body).toEqual(asViewer!.body);
    expect(asOwner!.body).toEqual({ ...asViewer!.body, auth_secret: application.authSecret });
  });

  it.each(['999999999', '0', '-1', 'x', '9999999999', '1e3', '2147483648'])(
    'knows no application with the id %s',
    async (id) => {
      const at = `/admin/v1/applications/${id}`;
      const answers = [
        await server.api.get(at, owner),
        await server.api.send('PATCH', `${at}/settings`, { as: owner, body: { guests: false } }),
        await post(`${at}/rotate-secret`, owner),
        await post(`${at}/end-sessions`, owner),
      ];
      expect(answers.map(codeOf)).toEqual(answers.map(() => '404 application_not_found'));
      expect(codeOf(await post(`${at}/users/1/disable`, owner))).toBe('404 user_not_found');
    },
  );

  describe('settings', () => {
    it('change those named, and go back to the default with null', async () => {
      const changed = await patch(operator, { guests: false, session_idle_seconds: 60 });
      expect(changed.status).toBe(200);
      expect(changed.body.settings).toEqual({
        ...application.settings,
        guests: false,
        session_idle_seconds: 60,
      });
      expect(changed.body['warnings']).toEqual([]);
      expect(changed.text).not.toContain('auth_secret');
      const back = await patch(operator, { session_idle_seconds: null });
      expect(back.body.settings).toEqual({ ...application.settings, guests: false });
    });

    it('hold for the next request', async () => {
      await patch(operator, { guests: false });
      const body = { provider: 'guest' };
      const answer = await server.api.send('POST', '/v1/sessions', { as: application, body });
      expect(codeOf(answer)).toBe('403 guests_disabled');
    });

    it('come with what whoever sets them should know', async () => {
      const { body } = await patch(operator, { password_sign_in: 'local,partner', refresh_tokens: null });
      expect(body['warnings']).toEqual(
        expect.arrayContaining([expect.stringContaining('handed to the partner')]),
      );
    });

    it('are refused with every fault by its place, and nothing is changed', async () => {
      const answer = await patch(operator, {
        guests: false,
        session_idle_seconds: 0,
        sign_up: 'maybe',
        directory: { user: 'full', application: 'everything' },
        allowed_origins: ['https://a.example', 'nonsense'],
        gusts: true,
      });
      expect(codeOf(answer)).toBe('422 validation_failed');
      const pointers = (answer.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer);
      expect(pointers.sort()).toEqual([
        '/allowed_origins/1',
        '/directory/application',
        '/gusts',
        '/session_idle_seconds',
        '/sign_up',
      ]);
      const { body } = await server.api.get<Shown>(path(), viewer);
      expect(body.settings).toEqual(application.settings);
    });
  });

  describe('the secret', () => {
    it('is replaced, and sessions go on', async () => {
      const { token } = await server.api.applicationSession(application);
      const { body } = await post<Shown>(path('/rotate-secret'), owner);
      expect(body.auth_secret).not.toBe(application.authSecret);
      expect((await server.api.send('POST', '/v1/sessions', { as: application })).status).toBe(401);
      await server.api.applicationSession({ ...application, authSecret: body.auth_secret! });
      expect(await lives(token)).toBe(true);
    });

    it('is replaced and sessions end, where that is asked for', async () => {
      const { token } = await server.api.applicationSession(application);
      await post(path('/rotate-secret'), owner, { end_sessions: true });
      expect(await lives(token)).toBe(false);
    });
  });

  it('ends every session of one application, and of no other', async () => {
    const other = await server.createApplication();
    const [mine, theirs] = [await server.api.guest(application), await server.api.guest(other)];
    expect(await post(path('/end-sessions'), operator)).toMatchObject({ status: 204, text: '' });
    expect([await lives(mine.session.token), await lives(theirs.session.token)]).toEqual([false, true]);
    expect(await lives((await server.api.guest(application)).session.token)).toBe(true);
  });

  describe('a user who is disabled', () => {
    const status = (userId: number, word: 'disable' | 'enable') =>
      post(path(`/users/${userId}/${word}`), operator);
    const signIn = () =>
      server.api.send<{ session: { token: string } }>('POST', '/v1/sessions', {
        as: application,
        body: { provider: 'password', credential: { login: 'alice', password: PASSWORD } },
      });

    it('is signed out everywhere and cannot sign in, until they are enabled', async () => {
      const { session, user } = await server.api.user(application, 'alice');
      const second = (await server.api.signIn(application, { login: 'alice' })).session;
      const bobs = (await server.api.user(application, 'bob')).session;
      expect(await status(user!.id, 'disable')).toMatchObject({
        status: 200,
        body: { user_id: user!.id, disabled: true },
      });
      expect([await lives(session.token), await lives(second.token)]).toEqual([false, false]);
      expect(await lives(bobs.token)).toBe(true);
      expect(codeOf(await signIn())).toBe('401 invalid_credentials');
      expect((await status(user!.id, 'enable')).body).toEqual({ user_id: user!.id, disabled: false });
      const again = await signIn();
      expect(again.status).toBe(201);
      expect(await lives(again.body.session.token)).toBe(true);
      // What was ended stays so.
      expect(await lives(session.token)).toBe(false);
    });

    it('is so once, however often that is said, and that is entered once', async () => {
      const { user } = await server.api.user(application, 'alice');
      for (const word of ['disable', 'disable', 'enable', 'enable'] as const) {
        expect((await status(user!.id, word)).status).toBe(200);
      }
      const entries = await auditEntries(server, 'user.disabled', 'user.enabled');
      expect(entries.filter(({ userId }) => userId === user!.id)).toMatchObject([
        { act: 'user.disabled', applicationId: application.id },
        { act: 'user.enabled', applicationId: application.id },
      ]);
    });

    it('is one of this application', async () => {
      const other = await server.createApplication();
      const { user, session } = await server.api.user(other, 'alice');
      expect(codeOf(await status(user!.id, 'disable'))).toBe('404 user_not_found');
      expect(codeOf(await status(999_999_999, 'enable'))).toBe('404 user_not_found');
      expect(await lives(session.token)).toBe(true);
    });

    it('has no session left over from a sign-in at the same moment', async () => {
      const { user } = await server.api.user(application, 'alice');
      const signIns = Array.from({ length: 6 }, signIn);
      const disabled = await status(user!.id, 'disable');
      expect(disabled.status).toBe(200);
      const begun = (await Promise.all([...signIns, signIn()])).filter(({ status }) => status === 201);
      for (const { body } of begun) expect(await lives(body.session.token)).toBe(false);
    });

    it('stays as they were when their sessions cannot be ended', async () => {
      const { session, user } = await server.api.user(application, 'alice');
      const users = server.app.get(UserRepository, { strict: false });
      const setDisabled = users.setDisabled.bind(users);
      users.setDisabled = async (...of) => {
        await setDisabled(...of);
        throw new Error('the disk is full');
      };
      expect((await status(user!.id, 'disable')).status).toBe(500);
      users.setDisabled = setDisabled;
      expect(await lives(session.token)).toBe(true);
      expect((await signIn()).status).toBe(201);
    });
  });

  describe('the audit log', () => {
    interface Entry extends Record<string, unknown> {
      id: number;
      act: string;
      at: string;
    }
    const read = async (query: string, as = viewer) =>
      (await server.api.get<Page<Entry>>(`/admin/v1/audit?application_id=${application.id}${query}`, as))
        .body;

    it('says which key did what', async () => {
      const answer = await patch(operator, { guests: false, faces: [] });
      const { items } = await read('');
      expect(items.at(-1)).toEqual({
        id: expect.any(Number),
        at: new Date(server.clock.now()).toISOString(),
        actor_kind: 'admin_key',
        actor_id: expect.stringMatching(/^\d+$/),
        act: 'application.settings_changed',
        application_id: application.id,
        user_id: null,
        session_id: null,
        address: '127.0.0.1',
        request_id: answer.headers.get('x-request-id'),
        outcome: 'done',
        reason: null,
        details: { settings: ['guests', 'faces'] },
      });
    });

    it('is read page by page, from one time to another', async () => {
      const since = server.clock.now() + 1000;
      for (let i = 0; i < 5; i += 1) {
        server.clock.advance({ seconds: 1 });
        await patch(operator, { guest_idle_days: 10 + i });
      }
      const from = `&since=${new Date(since).toISOString()}`;
      const first = await read(`${from}&limit=2`);
      const second = await read(`${from}&limit=2&cursor=${first.next_cursor}`);
      const third = await read(`${from}&limit=2&cursor=${second.next_cursor}`);
      const pages = [first, second, third].map(({ items }) => items.map(({ at }) => Date.parse(at) - since));
      expect(pages).toEqual([[0, 1000], [2000, 3000], [4000]]);
      expect(third.next_cursor).toBeNull();
      const until = `&until=${new Date(since + 2000).toISOString()}`;
      expect((await read(from + until)).items).toHaveLength(2);
    });

    it.each(['?since=yesterday', '?until=7', '?limit=1001', '?cursor=x', '?application_id=0', '?actor=me'])(
      'refuses the query %s',
      async (query) => {
        const answer = await server.api.get(`/admin/v1/audit${query}`, viewer);
        expect(codeOf(answer)).toBe('422 validation_failed');
      },
    );
  });
});
