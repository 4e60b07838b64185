import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import type { Begun } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { PartnerDouble, REFUSALS, RUBBISH } from '../support/partner/partner-double.js';
import { TestApp } from '../support/test-app.js';

const KEY = 'the-operators-own-key';

describeOnEachDatabase('signing in with a partner that is asked over HTTP', (kind) => {
  let app: TestApp;
  let partner: PartnerDouble;
  let owner: string;
  let application: Application;

  beforeAll(async () => {
    partner = await PartnerDouble.start();
    const env = { OUTBOUND_ALLOW: '127.0.0.1', OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '100000' };
    app = await TestApp.start(kind, { env });
    owner = await app.createAdminKey('owner');
  });
  afterAll(async () => {
    await app?.stop();
    await partner?.goDown();
  });
  beforeEach(async () => {
    await partner.comeBack();
    application = await app.createApplication();
  });

  const addProvider = async (options: object, { slug = 'partner', to = application } = {}) => {
    const path = `/admin/v1/applications/${to.id}/providers`;
    const answer = await app.api.send('POST', path, { as: owner, body: { kind: 'http', slug, options } });
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 });
    return answer;
  };
  const begin = (credential: object, { provider = 'partner', as = application } = {}) =>
    app.api.send<Begun & { code?: string }>('POST', '/v1/sessions', { as, body: { provider, credential } });
  const plain = () => ({
    url: `${partner.url}/nested`,
    headers: { 'X-Api-Key': KEY },
    params: { token: '#{token}' },
    mapping: { uid: '#{user.id}' },
  });

  const SHAPES = {
    nested: { uid: '#{user.id}', login: '#{user.login}', full_name: '#{user.full_name}' },
    flat: { uid: '#{id}', login: '#{login}', full_name: '#{full_name}' },
    list: { uid: '#{users.0.id}', login: '#{users[0].login}', full_name: '#{users.0.full_name}' },
  };
  const cases = (['nested', 'flat', 'list'] as const).flatMap((shape) =>
    (['GET', 'POST'] as const).map((method) => [shape, method] as const),
  );

  it.each(cases)(
    'signs users in by a definition of the dashboards: a %s answer, by %s',
    async (shape, method) => {
      await addProvider({
        endpoint: `${partner.url}/${shape}`,
        method,
        request_headers: JSON.stringify({ X_Api_Key: KEY }),
        // The token goes where the vendors have the login, and the password is a filler.
        request_params: JSON.stringify({ token: '#{login}', filler: '#{password}' }),
        response_params: JSON.stringify(SHAPES[shape]),
      });
      const sent = { login: partner.tokenOf('ada'), password: 'any' };
      const first = await begin(sent);
      expect({ status: first.status, text: first.text }).toMatchObject({ status: 201 });
      expect(first.body.session).toMatchObject({ kind: 'user', provider: 'partner' });
      const second = await begin({ login: partner.tokenOf('ada'), password: 'another' });
      expect(second.body.session.user_id).toBe(first.body.session.user_id);
      const other = await begin({ login: partner.tokenOf('bob'), password: 'any' });
      expect(other.body.session.user_id).not.toBe(first.body.session.user_id);
      expect(partner.lastCall.method).toBe(method);
      expect(partner.lastCall.headers['x-api-key']).toBe(KEY);
    },
  );

  it('stores no password, no token and no key that could be read', async () => {
    await addProvider(plain());
    const token = partner.tokenOf('ada');
    const { body } = await begin({ token });
    const dump = await new DatabaseRows(app).dump();
    for (const secret of [token, KEY]) {
      expect(dump).not.toContain(secret);
      expect(app.log).not.toContain(secret);
    }
    expect(body.user).toMatchObject({ guest: false });
    const change = await app.api.send('PUT', '/v1/users/me/password', {
      as: body.session.token,
      body: { current_password: token, password: 'some other long password' },
    });
    expect(change.status).toBeGreaterThanOrEqual(400);
  });

  it('signs in with the partner’s own login form', async () => {
    await addProvider({
      ...plain(),
      params: { login: '#{login}', password: '#{password}' },
      body_format: 'form',
    });
    const { login, password } = partner.user('ada');
    expect((await begin({ login, password })).status).toBe(201);
    const refused = await begin({ login, password: 'not it' });
    expect({ status: refused.status, code: refused.body.code }).toEqual({
      status: 401,
      code: 'invalid_credentials',
    });
    const missing = await begin({ login });
    expect({ status: missing.status, text: missing.text }).toMatchObject({
      status: 422,
      text: expect.stringContaining('/credential/password'),
    });
  });

  it('C-07 asks nobody for a provider of another application, or for none', async () => {
    const theirs = await app.createApplication();
    await addProvider(plain(), { slug: 'theirs', to: theirs });
    const token = partner.tokenOf('ada');
    const before = partner.calls.length;
    for (const provider of ['theirs', 'http', 'constructor', '__proto__', '1', `${partner.url}/nested`]) {
      const answer = await begin({ token }, { provider });
      expect({ provider, status: answer.status, code: answer.body.code }).toEqual({
        provider,
        status: 404,
        code: 'unknown_identity_provider',
      });
    }
    expect(partner.calls.length).toBe(before);
    expect((await begin({ token }, { provider: 'theirs', as: theirs })).status).toBe(201);
  });

  it('C-07 keeps the same person of the same partner apart in two applications', async () => {
    const theirs = await app.createApplication();
    await addProvider(plain());
    await addProvider(plain(), { to: theirs });
    const here = await begin({ token: partner.tokenOf('ada') });
    const there = await begin({ token: partner.tokenOf('ada') }, { as: theirs });
    expect(here.body.session.user_id).not.toBe(there.body.session.user_id);
    expect(there.body.session.application_id).toBe(theirs.id);
  });

  it('A-16 believes nothing that stands beside the token', async () => {
    await addProvider(plain());
    const before = partner.calls.length;
    for (const more of [{ uid: '1' }, { id: 1 }, { login: 'bob' }, { user: { id: 1 } }]) {
      expect((await begin({ token: partner.tokenOf('ada'), ...more })).status).toBe(422);
    }
    expect(partner.calls.length).toBe(before);
  });

  it('C-05 refuses a token of more than 8 kB before anybody is asked', async () => {
    await addProvider(plain());
    const before = partner.calls.length;
    expect((await begin({ token: 'x'.repeat(8193) })).status).toBe(422);
    expect((await begin({ token: 'x'.repeat(100_000) })).status).toBeGreaterThanOrEqual(400);
    expect(partner.calls.length).toBe(before);
  });

  it.each([
    ...Object.entries(REFUSALS).map(([name, answer]) => [name, answer, 401, 'invalid_credentials'] as const),
    ...Object.entries(RUBBISH).map(
      ([name, answer]) => [name, answer, 503, 'identity_provider_unavailable'] as const,
    ),
    ['status 302', { status: 302, body: '' }, 503, 'identity_provider_misconfigured'] as const,
    ['status 405', { status: 405, body: '' }, 503, 'identity_provider_misconfigured'] as const,
    ['another shape', { status: 200, body: '{"id":1}' }, 503, 'identity_provider_misconfigured'] as const,
  ])('C-22 says no more to the client than what it can do about it: %s', async (_, answer, status, code) => {
    await addProvider(plain());
    const secret = 'what-the-partner-says-to-nobody-else';
    const headers = { ...('headers' in answer ? answer.headers : {}), 'x-debug': secret };
    const { body } = await begin({ token: partner.tokenFor({ ...answer, headers }) });
    expect({ status: (body as unknown as { status: number }).status, code: body.code }).toEqual({
      status,
      code,
    });
    expect(JSON.stringify(body)).not.toContain(secret);
    expect(app.log).not.toContain(secret);
  });

  it('A-23 stores no definition that verifies nothing', async () => {
    const path = `/admin/v1/applications/${application.id}/providers`;
    for (const options of [{}, { ...plain(), params: {} }, { ...plain(), mapping: {} }]) {
      const answer = await app.api.send('POST', path, {
        as: owner,
        body: { kind: 'http', slug: 'x', options },
      });
      expect(answer.status).toBe(422);
    }
    expect((await app.api.send<{ items: unknown[] }>('GET', path, { as: owner })).body.items).toEqual([]);
  });

  it('C-20 takes a definition back as it is shown, unless it leads elsewhere', async () => {
    const shown = (await addProvider(plain())).body as { options: { headers: object } };
    expect(shown.options.headers).toEqual({ 'X-Api-Key': { fingerprint: expect.any(String) } });
    const path = `/admin/v1/applications/${application.id}/providers/partner`;
    const put = (options: object) => app.api.send('PUT', path, { as: owner, body: { options } });
    expect((await put(shown.options)).status).toBe(200);
    expect((await begin({ token: partner.tokenOf('ada') })).status).toBe(201);
    expect(partner.lastCall.headers['x-api-key']).toBe(KEY);
    const moved = await put({ ...shown.options, url: 'https://elsewhere.example/nested' });
    expect({ status: moved.status, text: moved.text }).toMatchObject({
      status: 422,
      text: expect.stringContaining('/options/headers/X-Api-Key'),
    });
  });
});
