import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../../test/support/manual-clock.js';
import {
  outboundTowards,
  PARTNER,
  partnerStage,
  type PartnerStage,
} from '../../../test/support/partner/partner-stage.js';
import { TestNames } from '../../../test/support/test-names.js';
import { TestAuthority } from '../../../test/support/tls/certificates.js';
import { tlsServer } from '../../../test/support/tls/tls-server.js';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import { HttpKind } from './http.kind.js';
import type { TracedCheck, TracedExchange, TracedMapping } from '../../observability/verification-trace.js';

const MAPPING = { uid: '#{user.id}', email: '#{user.email}', full_name: '#{user.full_name}' };

describe('HttpVerifier', () => {
  const clock = new ManualClock();
  let stage: PartnerStage;
  beforeAll(async () => {
    stage = await partnerStage(clock);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.partner.comeBack());

  const signal = () => AbortSignal.timeout(10_000);
  const verify = (verifier: IdentityVerifier, credential: object) =>
    verifier.verify(verifier.credentialSchema.parse(credential), { signal: signal() });
  const answering = (body: object, status = 200) =>
    stage.partner.tokenFor({ status, body: JSON.stringify(body) });

  it('gives whom the partner names, and believes it no address', async () => {
    const identity = await verify(stage.verifierOf({ mapping: MAPPING }), {
      token: stage.partner.tokenOf('ada'),
    });
    expect(identity).toEqual({
      provider: PARTNER,
      subject: '1000',
      email: { address: 'ada@partner.example', verified: false },
      profile: { name: 'ada of the partner' },
      user: { fullName: 'ada of the partner' },
      amr: [],
      authTime: new Date(clock.now()),
    });
  });

  it('believes it addresses and numbers where the definition says so', async () => {
    const token = answering({ user: { id: 1, email: 'a@b.example', phone: '+4915112345678' } });
    const mapping = { ...MAPPING, phone: '#{user.phone}' };
    expect(await verify(stage.verifierOf({ mapping, addresses_verified: true }), { token })).toMatchObject({
      email: { address: 'a@b.example', verified: true },
      phone: { number: '+4915112345678', verified: true },
    });
  });

  it('A-15 keeps ids beyond 2^53 apart', async () => {
    const subjects = ['9007199254740992', '9007199254740993'].map(async (id) => {
      const token = stage.partner.tokenFor({ status: 200, body: `{"user":{"id":${id}}}` });
      return (await verify(stage.verifierOf(), { token })).subject;
    });
    expect(await Promise.all(subjects)).toEqual(['9007199254740992', '9007199254740993']);
  });

  describe.each(['nested', 'flat', 'list'])('by an endpoint that answers %s', (shape) => {
    const uid = { nested: '#{user.id}', flat: '#{id}', list: '#{users.0.id}' }[shape]!;
    it.each([
      ['a GET with a query', { method: 'GET', params: { token: '#{token}' } }],
      ['a GET with a bearer', { method: 'GET', headers: { Authorization: 'Bearer #{token}' }, params: {} }],
      ['a GET with a path', { method: 'GET', url: `/${shape}/#{token}?token=#{token}`, params: {} }],
      ['a POST of JSON', { params: { token: '#{token}' } }],
      ['a POST of a form', { params: { token: '#{token}' }, body_format: 'form' }],
    ])('asks with %s', async (_, options) => {
      const url = stage.partner.url + ('url' in options ? options.url : `/${shape}`);
      const verifier = stage.verifierOf({ ...options, url, mapping: { uid } });
      const identity = await verify(verifier, { token: stage.partner.tokenOf('bob') });
      expect(identity.subject).toBe(String(stage.partner.user('bob').id));
    });
  });

  it('sends what the templates say, and nothing else', async () => {
    const verifier = stage.verifierOf({
      url: `${stage.partner.url}/nested/a?b=c`,
      headers: { X_Api_Key: 'k', 'User-Agent': 'ours' },
      params: { token: '#{token}', locale: 'de', list: [1, { n: null }] },
    });
    await verify(verifier, { token: stage.partner.tokenOf('ada') });
    const { method, target, headers, body } = stage.partner.lastCall;
    expect({ method, target }).toEqual({ method: 'POST', target: '/nested/a?b=c' });
    expect(headers).toMatchObject({
      'x-api-key': 'k',
      'user-agent': 'ours',
      'content-type': 'application/json',
    });
    expect(headers['webhook-id']).toBeUndefined();
    expect(JSON.parse(body)).toEqual({ token: expect.any(String), locale: 'de', list: [1, { n: null }] });
  });

  it('fills in what a client may leave out', async () => {
    const verifier = stage.verifierOf({ params: { token: '#{token}', login: '#{login|nobody}' } });
    await verify(verifier, { token: stage.partner.tokenOf('ada') });
    expect(JSON.parse(stage.partner.lastCall.body)).toMatchObject({ login: 'nobody' });
    await verify(verifier, { token: stage.partner.tokenOf('ada'), login: 'ada' });
    expect(JSON.parse(stage.partner.lastCall.body)).toMatchObject({ login: 'ada' });
  });

  it('names the field that a client has to send', () => {
    const verifier = stage.verifierOf({ params: { login: '#{login}', password: '#{password}' } });
    const { error } = verifier.credentialSchema.safeParse({ login: 'ada' });
    expect(error!.issues.map(({ path }) => path)).toEqual([['password']]);
  });

  it.each([
    [400, 'invalid_credentials'],
    [401, 'invalid_credentials'],
    [403, 'invalid_credentials'],
    [404, 'invalid_credentials'],
    [422, 'invalid_credentials'],
    [402, 'identity_provider_misconfigured'],
    [405, 'identity_provider_misconfigured'],
    [415, 'identity_provider_misconfigured'],
    [301, 'identity_provider_misconfigured'],
    [304, 'identity_provider_misconfigured'],
    [429, 'identity_provider_unavailable'],
    [500, 'identity_provider_unavailable'],
    [502, 'identity_provider_unavailable'],
  ])('takes status %i for %s', async (status, code) => {
    await expect(
      verify(stage.verifierOf(), { token: answering({ user: { id: 1 } }, status) }),
    ).rejects.toMatchObject({
      code,
    });
  });

  it('takes the statuses for a refusal that the definition lists', async () => {
    const verifier = stage.verifierOf({ refused_statuses: [418] });
    await expect(verify(verifier, { token: answering({}, 418) })).rejects.toMatchObject({
      code: 'invalid_credentials',
    });
    await expect(verify(verifier, { token: answering({}, 401) })).rejects.toMatchObject({
      code: 'identity_provider_misconfigured',
    });
  });

  it('takes an answer for a refusal that says so with status 200', async () => {
    const verifier = stage.verifierOf({ refused_when: { path: 'result.ok', equals: false } });
    const refusal = answering({ result: { ok: false }, user: { id: 1 } });
    await expect(verify(verifier, { token: refusal })).rejects.toMatchObject({ code: 'invalid_credentials' });
    const acceptance = answering({ result: { ok: true }, user: { id: 1 } });
    expect((await verify(verifier, { token: acceptance })).subject).toBe('1');
  });

  describe('in the form of the dashboards', () => {
    const vendor = { mapping: undefined, response_params: '{"uid":"#{user.id}"}' };

    it('calls users custom_<uid> where no login is mapped', async () => {
      const token = answering({ user: { id: 77 } });
      expect((await verify(stage.verifierOf(vendor), { token })).user).toEqual({ login: 'custom_77' });
      expect((await verify(stage.verifierOf(), { token })).user).toBeUndefined();
    });

    it('calls them as the mapping says', async () => {
      const response_params = { uid: '#{user.id}', login: '#{user.login}', external_user_id: '#{user.id}' };
      const token = stage.partner.tokenOf('ada');
      expect((await verify(stage.verifierOf({ ...vendor, response_params }), { token })).user).toEqual({
        login: 'ada',
        externalId: '1000',
      });
    });
  });

  it('shows its certificate to a partner that it knows by a pinned authority, and to no other', async () => {
    const authority = TestAuthority.named('The authority of the partner');
    const server = await tlsServer(authority.issue({ name: 'partner', hosts: ['partner.example'] }), {
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const names = new TestNames().set('partner.example', ['127.0.0.1']);
    const outbound = outboundTowards(['127.0.0.1'], names);
    const kind = new HttpKind(outbound, clock);
    const own = authority.issue({ name: 'ostiary', hosts: [] });
    const at = { url: `https://partner.example:${server.port}/`, mapping: { uid: '#{id}' } };
    const tls = { ca: authority.certificate, client_certificate: own.certificate, client_key: own.key };
    expect((await verify(stage.verifierOf({ ...at, tls }, kind), { token: 't' })).subject).toBe('ada');
    expect(server.requests.map(({ shown }) => shown)).toEqual(['ostiary']);
    for (const less of [undefined, { ca: authority.certificate }, { ca: own.certificate }]) {
      const verifier = stage.verifierOf({ ...at, ...(less && { tls: less }) }, kind);
      await expect(verify(verifier, { token: 't' })).rejects.toMatchObject({
        code: 'identity_provider_unavailable',
      });
    }
    expect(server.requests).toHaveLength(1);
    await outbound.close();
    await server.close();
  });

  describe('tells whoever watches', () => {
    async function told(options: object, token: string) {
      const exchanges: TracedExchange[] = [];
      const mappings: TracedMapping[] = [];
      const checks: TracedCheck[] = [];
      const trace = {
        exchange: (one: TracedExchange) => void exchanges.push(one),
        mapping: (one: TracedMapping) => void mappings.push(one),
        check: (one: TracedCheck) => void checks.push(one),
      };
      await stage
        .verifierOf(options)
        .verify({ token }, { signal: signal(), trace })
        .catch(() => undefined);
      return { exchanges, mappings, checks: checks.map(({ name, passed }) => [name, passed]) };
    }

    it('each step of a sign-in', async () => {
      const { exchanges, mappings, checks } = await told({ mapping: MAPPING }, stage.partner.tokenOf('ada'));
      expect(exchanges).toMatchObject([{ purpose: 'identity', response: { status: 200 } }]);
      expect(mappings.map(({ target, verdict }) => [target, verdict])).toEqual([
        ['uid', 'taken'],
        ['email', 'taken'],
        ['full_name', 'taken'],
      ]);
      expect(checks).toEqual([
        ['status', true],
        ['json', true],
        ['uid', true],
      ]);
    });

    it.each([
      ['status', answerOf(401, '{}')],
      ['json', answerOf(200, '<h1>Welcome</h1>')],
      ['uid', answerOf(200, '{"id":1}')],
      ['refused_when', answerOf(200, '{"status":"error"}')],
    ])('where a sign-in ends: %s', async (name, answer) => {
      const options = { refused_when: { path: 'status', equals: 'error' } };
      expect((await told(options, stage.partner.tokenFor(answer))).checks.at(-1)).toEqual([name, false]);
    });
  });
});

function answerOf(status: number, body: string) {
  return { status, body };
}
