import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { AuditLog } from '../../src/audit/audit-log.js';
import { replacementSchema } from '../../src/identity-providers/provider-definition.js';
import { Transactions } from '../../src/persistence/transactions.js';
import { encryptedColumns } from '../../src/rows.js';
import { EncryptedColumnsRepository } from '../../src/secrets/encrypted-columns.repository.js';
import { SecretRotation } from '../../src/secrets/secret-rotation.js';
import { Secrets } from '../../src/secrets/secrets.js';
import { auditEntries } from '../support/audit-entries.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { Lab, LAB_KEY } from '../support/lab/lab.js';

interface Body extends Record<string, unknown> {
  version: number;
  enabled: boolean;
  options: Record<string, unknown>;
  policies: Record<string, unknown>;
  errors: { pointer: string; code: string }[];
  items: Record<string, unknown>[];
}

const SECOND_KEY = 'the second key of the lab';
const ELSEWHERE = 'https://elsewhere.example/path';

describeOnEachDatabase('the versions of a provider', (kind) => {
  let lab: Lab;
  let rows: DatabaseRows;
  let application: Application;
  let owner: string;
  let path: string;

  beforeAll(async () => {
    lab = await Lab.start(kind, { env: { OUTBOUND_ALLOW: 'formerly.example' } });
    rows = new DatabaseRows(lab.app);
    owner = await lab.app.createAdminKey('owner');
  });
  afterAll(() => lab.stop());
  beforeEach(async () => {
    application = await lab.app.createApplication();
    const created = await send('POST', `/admin/v1/applications/${application.id}/providers`, {
      kind: 'lab',
      slug: 'lab',
      options: { key: LAB_KEY },
    });
    expect(created.status).toBe(201);
    path = `/admin/v1/applications/${application.id}/providers/lab`;
  });

  const send = (method: string, at: string, body?: unknown, as = owner) =>
    lab.api.send<Body>(method, at, { as, ...(body !== undefined && { body }) });
  const change = async (options: Record<string, unknown>, policies = {}) => {
    const answer = await send('PUT', path, { options, policies });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    return answer.body;
  };
  const versions = async () => (await send('GET', `${path}/versions`)).body.items;
  const signIn = async (key = LAB_KEY) =>
    (await lab.begin(application, { sub: 'ada' }, { provider: 'lab', key })).status;

  it('are kept with each save: when, who, and what was changed', async () => {
    lab.app.clock.advance({ seconds: 1 });
    await change({ url: ELSEWHERE, key: SECOND_KEY }, { create_users: false });
    const operator = await lab.app.createAdminKey('operator');
    await send('POST', `${path}/disable`, undefined, operator);
    await send('POST', `${path}/disable`, undefined, operator);
    await send('POST', `${path}/enable`, undefined, operator);
    const listed = await versions();
    expect(listed).toMatchObject([
      { version: 4, present: true, act: 'enabled', changed: ['/enabled'], actor_kind: 'admin_key' },
      { version: 3, present: false, act: 'disabled', changed: ['/enabled'] },
      { version: 2, act: 'changed', changed: ['/options/key', '/options/url', '/policies/create_users'] },
      { version: 1, act: 'created', changed: [], restored_version: null },
    ]);
    expect(listed[0]!['actor_id']).not.toBe(listed[2]!['actor_id']);
    expect(Date.parse(listed[2]!['at'] as string)).toBe(Date.parse(listed[3]!['at'] as string) + 1000);
  });

  it('C-21 are shown and compared with fingerprints for their secrets, and unreadable in the database', async () => {
    await change({ url: ELSEWHERE, key: SECOND_KEY }, { create_users: false });
    const first = await send('GET', `${path}/versions/1`);
    expect(first.body).toMatchObject({
      version: 1,
      kind: 'lab',
      enabled: true,
      options: { key: { fingerprint: expect.stringMatching(/^[\w-]{12}$/) } },
      policies: { create_users: true },
    });
    const viewer = await lab.app.createAdminKey('viewer');
    const compared = await send('GET', `${path}/versions/compare?from=1&to=2`, undefined, viewer);
    expect(compared.body).toMatchObject({
      from: 1,
      to: 2,
      items: [
        {
          path: '/options/key',
          from: first.body.options['key'],
          to: { fingerprint: expect.any(String) },
        },
        { path: '/options/url', to: ELSEWHERE },
        { path: '/policies/create_users', from: true, to: false },
      ],
    });
    expect(compared.body.items[1]).not.toHaveProperty('from');
    const back = await send('GET', `${path}/versions/compare?from=2&to=1`);
    expect(back.body.items[1]).toEqual({ path: '/options/url', from: ELSEWHERE });
    expect((await send('GET', `${path}/versions/compare?from=2&to=2`)).body.items).toEqual([]);
    for (const text of [first.text, compared.text, back.text, await rows.dump(), lab.app.log]) {
      expect(text).not.toContain(LAB_KEY);
      expect(text).not.toContain(SECOND_KEY);
    }
  });

  it('are gone back to with their secrets, which belong to their addresses', async () => {
    await change({ url: ELSEWHERE, key: SECOND_KEY });
    expect(await signIn()).toBe(401);
    const answer = await send('POST', `${path}/rollback`, { version: 1 });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ version: 3 });
    expect(answer.body.options).not.toHaveProperty('url');
    expect(await signIn()).toBe(201);
    expect(await signIn(SECOND_KEY)).toBe(401);
    expect((await versions())[0]).toMatchObject({
      version: 3,
      act: 'rolled_back',
      restored_version: 1,
      changed: ['/options/key', '/options/url'],
    });
    const [entry] = (await auditEntries(lab.app, 'identity_provider.rolled_back')).slice(-1);
    expect(entry).toMatchObject({
      applicationId: application.id,
      details: { provider: 'lab', version: 2, restored_version: 1 },
    });
  });

  it('let nobody in again by the way', async () => {
    await change({ key: SECOND_KEY });
    await send('POST', `${path}/disable`);
    const answer = await send('POST', `${path}/rollback`, { version: 1 });
    expect(answer.body).toMatchObject({ version: 4, enabled: false });
  });

  it('are not gone back to when they could not be saved now', async () => {
    await change({ dials: ['https://formerly.example:6379/'] });
    await change({});
    const refused = async (version: number, pointer: string, code: string) => {
      const before = await rows.dump();
      const answer = await send('POST', `${path}/rollback`, { version });
      expect([answer.status, answer.body.errors]).toMatchObject([422, [{ pointer, code }]]);
      expect(await rows.dump()).toBe(before);
    };
    // As another program may have stored it.
    await rows.run(
      'UPDATE identity_provider_versions SET policies = :policies WHERE application_id = :id AND version = 1',
      { id: application.id, policies: '{"create_users":"sometimes"}' },
    );
    await refused(1, '/policies/create_users', 'invalid_type');
    lab.app.names.set('formerly.example', ['8.8.8.8']);
    expect((await send('POST', `${path}/rollback`, { version: 2 })).status).toBe(200);
  });

  it('are not gone back to when they lead to addresses that are refused by now', async () => {
    lab.app.names.set('partner.example', ['8.8.8.8']);
    await change({ dials: ['https://partner.example/verify'] });
    await change({});
    lab.app.names.set('partner.example', ['10.0.0.1']);
    const answer = await send('POST', `${path}/rollback`, { version: 2 });
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toMatchObject([{ pointer: '/options/dials/0', code: 'address_refused' }]);
    expect((await send('GET', path)).body.version).toBe(3);
  });

  it('are one for each of several saves at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        i % 2 === 0
          ? send('PUT', path, { options: { url: `https://lab.example/${i}` } })
          : send('POST', `${path}/rollback`, { version: 1 }),
      ),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status !== 200).map(({ body }) => body['code'])).toEqual(
      Array(8 - done.length).fill('busy'),
    );
    const numbers = Array.from({ length: done.length + 1 }, (_, i) => done.length + 1 - i);
    expect((await versions()).map(({ version }) => version)).toEqual(numbers);
    expect((await send('GET', path)).body.version).toBe(done.length + 1);
    // What each says of itself is what it is.
    for (const { body } of done) {
      const shown = await send('GET', `${path}/versions/${body.version}`);
      expect(shown.body.options).toEqual(body.options);
    }
  });

  it('begin with what was there before versions were kept', async () => {
    await change({ key: SECOND_KEY });
    await rows.run('DELETE FROM identity_provider_versions WHERE application_id = :id', {
      id: application.id,
    });
    const unknown = {
      version: 2,
      present: true,
      act: 'changed',
      actor_kind: null,
      actor_id: null,
      changed: [],
    };
    expect(await versions()).toMatchObject([unknown]);
    expect((await send('GET', `${path}/versions/2`)).body).toMatchObject({ version: 2, enabled: true });
    await change({ url: ELSEWHERE, key: LAB_KEY });
    expect(await versions()).toMatchObject([{ version: 3 }, { ...unknown, present: false }]);
    expect((await send('POST', `${path}/rollback`, { version: 2 })).status).toBe(200);
    expect(await signIn(SECOND_KEY)).toBe(201);
  });

  it('are a hundred at most', async () => {
    for (let i = 0; i < 101; i += 1) {
      await lab.providers.setEnabled(application.id, 'lab', i % 2 === 1);
    }
    const listed = await versions();
    expect(listed).toHaveLength(100);
    expect([listed[0]!['version'], listed.at(-1)!['version']]).toEqual([102, 3]);
    const gone = await send('POST', `${path}/rollback`, { version: 2 });
    expect([gone.status, gone.body['code']]).toEqual([404, 'identity_provider_version_not_found']);
  });

  it('go with the provider, and are not inherited', async () => {
    await change({ key: SECOND_KEY });
    await send('DELETE', path);
    expect((await send('GET', `${path}/versions`)).status).toBe(404);
    await lab.addProvider(application);
    expect(await versions()).toHaveLength(1);
    expect((await send('POST', `${path}/rollback`, { version: 2 })).status).toBe(404);
  });

  it.each(['0', '3', '-1', '1.5', 'x', '99999999999', '1%00'])('are not found by %s', async (version) => {
    const shown = await send('GET', `${path}/versions/${version}`);
    expect([shown.status, shown.body['code']]).toEqual([404, 'identity_provider_version_not_found']);
    for (const query of [`from=${version}&to=1`, `from=1&to=${version}`]) {
      expect([404, 422]).toContain((await send('GET', `${path}/versions/compare?${query}`)).status);
    }
    expect([404, 422]).toContain((await send('POST', `${path}/rollback`, { version })).status);
    expect([404, 422]).toContain(
      (await send('POST', `${path}/rollback`, { version: Number(version) })).status,
    );
  });

  it('belong to one application', async () => {
    const other = await lab.app.createApplication();
    const theirs = `/admin/v1/applications/${other.id}/providers/lab`;
    for (const at of [
      `${theirs}/versions`,
      `${theirs}/versions/1`,
      `${theirs}/versions/compare?from=1&to=1`,
    ]) {
      expect((await send('GET', at)).body['code']).toBe('identity_provider_not_found');
    }
    expect((await send('POST', `${theirs}/rollback`, { version: 1 })).status).toBe(404);
  });
});

describe('the versions of a provider, when the master key is rotated', () => {
  it('are read and gone back to under the new key', async () => {
    const lab = await Lab.start('sqlite');
    const application = await lab.app.createApplication();
    await lab.addProvider(application);
    await lab.providers.replace(
      application.id,
      'lab',
      replacementSchema.parse({ options: { key: SECOND_KEY } }),
    );
    const the = <T>(part: Type<T>) => lab.app.app.get(part, { strict: false });
    const rotation = new SecretRotation(
      the(Secrets),
      the(EncryptedColumnsRepository),
      the(Transactions),
      the(AuditLog),
      encryptedColumns,
    );
    // Every key but the last two is retired.
    for (let i = 0; i < 3; i += 1) await rotation.rotate();
    await lab.providers.rollBack(application.id, 'lab', 1);
    const { status } = await lab.begin(application, { sub: 'ada' });
    expect(status).toBe(201);
    await lab.stop();
  });
});
