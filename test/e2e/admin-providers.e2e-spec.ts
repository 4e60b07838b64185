import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { auditEntries } from '../support/audit-entries.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { Lab, LAB_KEY } from '../support/lab/lab.js';

interface ProviderBody extends Record<string, unknown> {
  slug: string;
  version: number;
  enabled: boolean;
  options: Record<string, unknown>;
  policies: Record<string, unknown>;
}

describeOnEachDatabase('the providers of an application, over the admin API', (kind) => {
  let lab: Lab;
  let application: Application;
  let owner: string;
  let path: string;

  beforeAll(async () => {
    lab = await Lab.start(kind);
    owner = await lab.app.createAdminKey('owner');
  });
  afterAll(() => lab.stop());
  beforeEach(async () => {
    application = await lab.app.createApplication();
    path = `/admin/v1/applications/${application.id}/providers`;
  });

  const definition = { kind: 'lab', slug: 'lab', options: { key: LAB_KEY } };
  const send = (method: string, at: string, body?: unknown, as = owner) =>
    lab.api.send<ProviderBody & { errors?: { pointer: string; code: string }[]; items?: ProviderBody[] }>(
      method,
      at,
      { as, ...(body !== undefined && { body }) },
    );

  it('are made, shown, changed, disabled and removed', async () => {
    const made = await send('POST', path, definition);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      slug: 'lab',
      kind: 'lab',
      version: 1,
      enabled: true,
      policies: { create_users: true, link_by_email: 'never', trusted_for_email: false },
    });
    expect((await lab.begin(application, { sub: 'ada' })).status).toBe(201);
    const changed = await send('PUT', `${path}/lab`, {
      options: {},
      policies: { create_users: false },
    });
    expect(changed.body).toMatchObject({ version: 2, policies: { create_users: false } });
    expect((await lab.begin(application, { sub: 'bob' })).status).toBe(403);
    expect((await send('POST', `${path}/lab/disable`)).body.enabled).toBe(false);
    expect((await lab.begin(application, { sub: 'ada' })).status).toBe(404);
    expect((await send('POST', `${path}/lab/enable`)).body).toMatchObject({ enabled: true, version: 4 });
    expect((await send('GET', path)).body.items).toHaveLength(1);
    expect((await send('DELETE', `${path}/lab`)).status).toBe(204);
    expect((await send('GET', `${path}/lab`)).status).toBe(404);
    const acts = await auditEntries(
      lab.app,
      'identity_provider.created',
      'identity_provider.changed',
      'identity_provider.disabled',
      'identity_provider.enabled',
      'identity_provider.deleted',
    );
    const mine = acts.filter((entry) => entry.applicationId === application.id);
    expect(mine.map(({ act }) => act.split('.')[1])).toEqual([
      'created',
      'changed',
      'disabled',
      'enabled',
      'deleted',
    ]);
    expect(JSON.stringify(mine)).not.toContain(LAB_KEY);
  });

  it('C-21 never show a secret, and keep it unreadable in the database', async () => {
    const made = await send('POST', path, definition);
    const fingerprint = made.body.options['key'] as { fingerprint: string };
    expect(fingerprint).toEqual({ fingerprint: expect.stringMatching(/^[\w-]{12}$/) });
    for (const role of ['viewer', 'operator', 'owner'] as const) {
      const key = await lab.app.createAdminKey(role);
      const shown = await send('GET', `${path}/lab`, undefined, key);
      expect(shown.body.options['key']).toEqual(fingerprint);
      expect(shown.text).not.toContain(LAB_KEY);
    }
    expect(await new DatabaseRows(lab.app).dump()).not.toContain(LAB_KEY);
    expect(lab.app.log).not.toContain(LAB_KEY);
  });

  it('C-20 do not send a secret to a new address before somebody gives it again', async () => {
    await send('POST', path, definition);
    const elsewhere = 'https://elsewhere.example/path';
    for (const key of [undefined, { fingerprint: 'x' }]) {
      const moved = await send('PUT', `${path}/lab`, { options: { key, url: elsewhere } });
      expect(moved.status).toBe(422);
      expect(moved.body.errors).toMatchObject([{ pointer: '/options/key', code: 'secret_required' }]);
    }
    const same = await send('PUT', `${path}/lab`, { options: { url: 'https://lab.example/other' } });
    expect(same.status).toBe(200);
    const given = await send('PUT', `${path}/lab`, { options: { key: LAB_KEY, url: elsewhere } });
    expect(given.status).toBe(200);
    expect((await lab.begin(application, { sub: 'ada' })).status).toBe(201);
  });

  it('are refused whole when anything is wrong, and no answer repeats a value', async () => {
    for (const [change, pointer] of [
      [{ kind: 'unknown' }, '/kind'],
      [{ slug: 'Has Space' }, '/slug'],
      [{ slug: 'facebook' }, '/slug'],
      [{ options: {} }, '/options/key'],
      [{ options: { key: LAB_KEY, ke: 1 } }, '/options/ke'],
      [{ options: { key: 'hunter2' } }, '/options/key'],
      [{ policies: { link_by_email: 'always' } }, '/policies/link_by_email'],
      [{ policies: { trusted: true } }, '/policies/trusted'],
      [{ enabled: 'yes' }, '/enabled'],
      [{ id: 7 }, '/id'],
    ] as const) {
      const answer = await send('POST', path, { ...definition, ...change });
      expect({ change, status: answer.status }).toEqual({ change, status: 422 });
      expect(answer.body.errors!.map((fault) => fault.pointer)).toContain(pointer);
      expect(answer.text).not.toContain('hunter2');
    }
    expect((await send('GET', path)).body.items).toEqual([]);
    await send('POST', path, definition);
    expect((await send('POST', path, definition)).body['code']).toBe('slug_taken');
    const renamed = await send('PUT', `${path}/lab`, { slug: 'other', options: {} });
    expect(renamed.body.errors).toMatchObject([{ pointer: '/slug', code: 'not_allowed' }]);
  });

  it('are for owners to change, and for operators to switch', async () => {
    await send('POST', path, definition);
    const [viewer, operator] = [
      await lab.app.createAdminKey('viewer'),
      await lab.app.createAdminKey('operator'),
    ];
    for (const [method, at, body, key] of [
      ['POST', path, { ...definition, slug: 'two' }, operator],
      ['PUT', `${path}/lab`, { options: {} }, operator],
      ['DELETE', `${path}/lab`, undefined, operator],
      ['POST', `${path}/lab/disable`, undefined, viewer],
    ] as const) {
      expect((await send(method, at, body, key)).status).toBe(403);
    }
    expect((await send('POST', `${path}/lab/disable`, undefined, operator)).status).toBe(200);
  });
});
