import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { adminRoles, roleSuffices, type AdminRole } from '../../src/admin-keys/admin-key.js';
import { AdminKeysService } from '../../src/admin-keys/admin-keys.service.js';
import type { Application } from '../../src/applications/application.js';
import type { Answer } from '../support/api-client.js';
import { ChatServer } from '../support/chat/chat-server.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { describedRoutes, type DescribedRoute } from '../support/described-routes.js';
import { labAssertion } from '../support/lab/lab-kind.js';
import { Lab, LAB_KEY } from '../support/lab/lab.js';
import type { TestApp } from '../support/test-app.js';

/** What each route is for, said once more: a route with too low a role would describe itself so as well. */
const NEEDED: Readonly<Record<string, AdminRole>> = {
  'GET /admin/v1/applications': 'viewer',
  'POST /admin/v1/applications': 'owner',
  'GET /admin/v1/applications/{id}': 'viewer',
  'PATCH /admin/v1/applications/{id}/settings': 'operator',
  'POST /admin/v1/applications/{id}/rotate-secret': 'owner',
  'POST /admin/v1/applications/{id}/end-sessions': 'operator',
  'POST /admin/v1/applications/{id}/users/{user_id}/disable': 'operator',
  'POST /admin/v1/applications/{id}/users/{user_id}/enable': 'operator',
  'GET /admin/v1/applications/{id}/providers': 'viewer',
  'POST /admin/v1/applications/{id}/providers': 'owner',
  'GET /admin/v1/applications/{id}/providers/{slug}': 'viewer',
  'PUT /admin/v1/applications/{id}/providers/{slug}': 'owner',
  'DELETE /admin/v1/applications/{id}/providers/{slug}': 'owner',
  'POST /admin/v1/applications/{id}/providers/{slug}/enable': 'operator',
  'POST /admin/v1/applications/{id}/providers/{slug}/disable': 'operator',
  'POST /admin/v1/applications/{id}/providers/{slug}/test': 'operator',
  'GET /admin/v1/applications/{id}/providers/{slug}/versions': 'viewer',
  'GET /admin/v1/applications/{id}/providers/{slug}/versions/compare': 'viewer',
  'GET /admin/v1/applications/{id}/providers/{slug}/versions/{version}': 'viewer',
  'POST /admin/v1/applications/{id}/providers/{slug}/rollback': 'owner',
  'GET /admin/v1/applications/{id}/users/{user_id}/identities': 'viewer',
  'POST /admin/v1/applications/{id}/users/{user_id}/identities/{identity_id}/disable': 'operator',
  'POST /admin/v1/applications/{id}/users/{user_id}/identities/{identity_id}/enable': 'operator',
  'GET /admin/v1/audit': 'viewer',
  'GET /admin/v1/chat-clients': 'viewer',
  'POST /admin/v1/chat-clients': 'operator',
  'GET /admin/v1/chat-clients/{client_id}': 'viewer',
  'PATCH /admin/v1/chat-clients/{client_id}': 'operator',
  'POST /admin/v1/chat-clients/{client_id}/rotate-secret': 'operator',
  'POST /admin/v1/chat-clients/{client_id}/revoke': 'operator',
  'GET /admin/v1/outbox': 'viewer',
  'POST /admin/v1/outbox/retry': 'operator',
  'POST /admin/v1/outbox/{message_id}/retry': 'operator',
};

/** A body with which each route does something. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /admin/v1/applications': { name: 'Another' },
  'PATCH /admin/v1/applications/{id}/settings': { guests: false },
  'POST /admin/v1/applications/{id}/rotate-secret': { end_sessions: true },
  'POST /admin/v1/applications/{id}/providers': { kind: 'lab', slug: 'another', options: { key: LAB_KEY } },
  'POST /admin/v1/applications/{id}/providers/{slug}/test': {
    credential: { assertion: labAssertion(LAB_KEY, { sub: 'alice' }) },
  },
  'PUT /admin/v1/applications/{id}/providers/{slug}': { options: { key: LAB_KEY } },
  'POST /admin/v1/applications/{id}/providers/{slug}/rollback': { version: 1 },
  'POST /admin/v1/chat-clients': { name: 'Another' },
  'PATCH /admin/v1/chat-clients/{client_id}': { name: 'Another' },
};

/** A query without which a route does nothing. */
const QUERIES: Readonly<Record<string, string>> = {
  'GET /admin/v1/applications/{id}/providers/{slug}/versions/compare': '?from=1&to=1',
};

/** What somebody may send along in the hope of being more than their key says. */
const ESCALATIONS: readonly Readonly<Record<string, unknown>>[] = [
  { role: 'owner' },
  { roles: ['owner'] },
  { admin_key: { role: 'owner' } },
  { admin_key_id: 1 },
  { admin_keys: [{ role: 'owner', name: 'mine' }] },
  { groups: ['owner'] },
  { is_admin: true },
  { actor_kind: 'command_line' },
  { auth_secret: 'as_chosen' },
  { auth_key: 'ak_chosen' },
];

describeOnEachDatabase('admin keys', (kind) => {
  let lab: Lab;
  let server: TestApp;
  let rows: DatabaseRows;
  let application: Application;
  let userId: number;
  let identityId: number;
  let chatClientId: number;
  let messageId: number;
  let routes: DescribedRoute[];
  let keys: Record<AdminRole, string>;

  beforeAll(async () => {
    lab = await Lab.start(kind);
    server = lab.app;
    rows = new DatabaseRows(server);
    routes = (await describedRoutes(server.api)).filter(({ path }) => path.startsWith('/admin/'));
    keys = {
      viewer: await server.createAdminKey('viewer'),
      operator: await server.createAdminKey('operator'),
      owner: await server.createAdminKey('owner'),
    };
  });
  afterAll(() => server.stop());

  /** An application with all that a route may be about; one that removes something leaves the next one its own. */
  const prepare = async () => {
    application = await server.createApplication();
    await lab.addProvider(application);
    const { session, user } = await lab.signedIn(application, { sub: 'alice' });
    userId = user.id;
    identityId = (await lab.identities(session.token)).body.items[0]!.id;
    chatClientId = (await ChatServer.create(server, application)).id;
    const messages = await rows.run<{ id: number }>(
      `INSERT INTO outbox_messages (topic, target, payload, attempts, created_at, give_up_at, failed_at)
       VALUES ('test', 'test', '{}', 1, 0, 0, 0) RETURNING id`,
    );
    messageId = messages[0]!.id;
  };
  beforeEach(prepare);

  const nameOf = ({ method, path }: DescribedRoute) => `${method} ${path}`;
  const send = (
    route: DescribedRoute,
    as: string | Application | undefined,
    {
      extra,
      query = QUERIES[nameOf(route)] ?? '',
      headers,
    }: { extra?: object; query?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const path = route.path
      .replace('{id}', `${application.id}`)
      .replace('{user_id}', `${userId}`)
      .replace('{identity_id}', `${identityId}`)
      .replace('{client_id}', `${chatClientId}`)
      .replace('{message_id}', `${messageId}`)
      .replace('{slug}', 'lab')
      .replace('{version}', '1');
    const body = route.method === 'GET' ? undefined : { ...BODIES[nameOf(route)], ...extra };
    const sent = { ...(as !== undefined && { as }), ...(body && { body }), ...(headers && { headers }) };
    return server.api.send(route.method, path + query, sent);
  };
  /** Everything stored, but for when keys and sessions were last used. */
  const stored = async () =>
    (await rows.dump()).replace(/"(last_used_at|last_request_at)":("?\d+"?|null)/g, '"$1":0');
  const codeOf = ({ status, body }: Answer) => `${status} ${String(body?.['code'])}`;

  it('U-28 guard every route under /admin by the role that it is meant for', () => {
    expect(routes.map(nameOf).sort()).toEqual(Object.keys(NEEDED).sort());
  });

  describe.each(adminRoles)('of the role %s', (role) => {
    it('U-28 open the routes of that role and of those below it, and no others', async () => {
      for (const route of routes) {
        await prepare();
        const before = await stored();
        const answer = await send(route, keys[role]);
        if (roleSuffices(role, NEEDED[nameOf(route)]!)) {
          expect([nameOf(route), Math.floor(answer.status / 100)]).toEqual([nameOf(route), 2]);
        } else {
          expect([nameOf(route), codeOf(answer)]).toEqual([nameOf(route), '403 forbidden']);
          expect(await stored()).toBe(before);
        }
      }
    });

    it.each(ESCALATIONS)('U-28 are not made more by %j in a body', async (extra) => {
      const before = await stored();
      for (const route of routes.filter(({ members }) => members !== null)) {
        const answer = await send(route, keys[role], { extra });
        const expected = roleSuffices(role, NEEDED[nameOf(route)]!)
          ? '422 validation_failed'
          : '403 forbidden';
        expect([nameOf(route), codeOf(answer)]).toEqual([nameOf(route), expected]);
      }
      expect(await stored()).toBe(before);
    });

    it('U-28 are not made more by a query, by headers, or by a body where none is expected', async () => {
      const above = routes.filter((route) => !roleSuffices(role, NEEDED[nameOf(route)]!));
      const before = await stored();
      for (const route of above) {
        const tries = [
          await send(route, keys[role], { query: '?role=owner&admin_key_id=3' }),
          await send(route, keys[role], { query: `?access_token=${keys.owner}&key=${keys.owner}` }),
          await send(route, keys[role], { headers: { 'x-role': 'owner', 'x-admin-key': keys.owner } }),
          await send(route, keys[role], { headers: { 'x-http-method-override': 'GET' } }),
          await send(route, keys[role], { headers: { cookie: `admin_key=${keys.owner}` } }),
          await send(route, keys[role], { extra: { access_token: keys.owner, role: 'owner' } }),
        ];
        expect(tries.map(codeOf)).toEqual(tries.map(() => '403 forbidden'));
      }
      expect(await stored()).toBe(before);
    });

    it('U-28 cannot make, change or end keys over HTTP', async () => {
      const before = await rows.run('SELECT id, name, role, key_hash, revoked_at FROM admin_keys');
      const paths = [
        'admin-keys',
        'admin_keys',
        'keys',
        'admin-keys/1',
        'admin-keys/1/role',
        'groups',
        'import',
      ];
      for (const path of paths) {
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          const body = method === 'GET' ? undefined : { role: 'owner', name: 'mine' };
          const sent = { as: keys[role], ...(body && { body }) };
          const answer = await server.api.send(method, `/admin/v1/${path}`, sent);
          expect([method, path, answer.status]).toEqual([method, path, 404]);
        }
      }
      expect(await rows.run('SELECT id, name, role, key_hash, revoked_at FROM admin_keys')).toEqual(before);
    });

    it('U-28 see secrets only where they are an owner’s', async () => {
      const answers = await Promise.all(
        routes.filter(({ method }) => method === 'GET').map((route) => send(route, keys[role])),
      );
      const shown = answers.some(({ text }) => text.includes(application.authSecret));
      expect(shown).toBe(role === 'owner');
    });

    it('U-28 are nothing on the routes of applications and users', async () => {
      const others = (await describedRoutes(server.api)).filter(
        ({ path, isGuarded }) => path.startsWith('/v1/') && isGuarded,
      );
      const answers = await Promise.all(
        others.map(({ method, path }) =>
          server.api.send(method, path.replace('{id}', '1'), {
            as: keys[role],
            ...(method !== 'GET' && { body: {} }),
          }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(others.map(() => 401));
    });
  });

  it('U-28 cannot be replaced by a session, by the keys of an application or by nothing', async () => {
    const { session } = await lab.signedIn(application, { sub: 'alice' });
    const { token } = await server.api.applicationSession(application);
    const before = await stored();
    for (const route of routes) {
      expect([
        codeOf(await send(route, undefined)),
        codeOf(await send(route, application)),
        codeOf(await send(route, session.token)),
        codeOf(await send(route, token)),
        codeOf(await send(route, `osad_${session.token.slice(5)}`)),
        codeOf(await send(route, `osta_${keys.owner.slice(5)}`)),
      ]).toEqual([
        '401 authentication_required',
        '401 authentication_required',
        ...Array.from({ length: 4 }, () => '401 invalid_admin_key'),
      ]);
    }
    expect(await stored()).toBe(before);
  });

  it('U-28 are refused from the request on that follows their revocation', async () => {
    const service = server.app.get(AdminKeysService, { strict: false });
    const { adminKey, key } = await service.create('owner', null);
    expect((await send(routes[0]!, key)).status).toBe(200);
    await service.revoke(adminKey.id);
    for (const route of routes) expect(codeOf(await send(route, key))).toBe('401 invalid_admin_key');
  });

  it('U-28 leave nothing of themselves in the database, in the log or in answers', async () => {
    const answers = await Promise.all(routes.map((route) => send(route, keys.owner)));
    const texts = [await rows.dump(), server.log, ...answers.map(({ text }) => text)].join('\n');
    for (const role of adminRoles) expect(texts.includes(keys[role].slice(5))).toBe(false);
  });
});
