import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { HttpKind } from '../../src/custom-idp/http/http.kind.js';
import { BrokerError } from '../../src/errors/broker-error.js';
import { VerifierKinds } from '../../src/identity/verifier-kinds.js';
import type { VerifierKind } from '../../src/identity/verifier-kind.js';
import type { IdentityVerifier } from '../../src/identity/identity-verifier.js';
import type { OutboundClient } from '../../src/outbound/outbound-client.js';
import { ManualClock } from '../support/manual-clock.js';
import { PartnerDouble, REFUSALS, RUBBISH } from '../support/partner/partner-double.js';
import { kindTowards, partnerStage, type PartnerStage } from '../support/partner/partner-stage.js';

/** Texts that mean something wherever they are put without being encoded. */
const HOSTILE = [
  'a\r\nX-Admin: 1',
  'a&uid=1',
  'a#b',
  'a?b=c',
  '../../admin',
  '..',
  '.',
  '%2e%2e',
  '..%2f..',
  'a/../../b',
  '%00',
  'a\u0000b',
  '\\..\\',
  'a;b',
  'a,b',
  '","admin":true,"x":"',
  "it's (here)*!",
  '#{password}',
  'ünï ☃ 😀',
  ' a ',
];

describe('calling a partner', () => {
  const clock = new ManualClock();
  let stage: PartnerStage;
  beforeAll(async () => {
    stage = await partnerStage(clock);
  });
  afterAll(() => stage.close());
  afterEach(() => stage.partner.comeBack());

  const verify = (verifier: IdentityVerifier, credential: object) =>
    verifier.verify(verifier.credentialSchema.parse(credential), { signal: AbortSignal.timeout(10_000) });
  const errorOf = async (verifier: IdentityVerifier, credential: object): Promise<BrokerError> => {
    const error: unknown = await verify(verifier, credential).then(
      () => new Error('nothing was thrown'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BrokerError);
    return error as BrokerError;
  };
  const calls = () => stage.partner.calls.length;
  const parse = (options: object) =>
    stage.kind.optionsSchema.safeParse({
      url: 'https://partner.example/verify',
      params: { token: '#{token}' },
      mapping: { uid: '#{id}' },
      ...options,
    });

  describe('A-16', () => {
    it.each(['uid', 'id', 'user_id', 'login', 'email', 'password', 'user'])(
      'A-16 takes no %s from beside the token',
      (field) => {
        const { credentialSchema } = stage.verifierOf();
        expect(credentialSchema.safeParse({ token: 't', [field]: '1' }).success).toBe(false);
      },
    );
  });

  describe('A-23', () => {
    const verifying = { uid: '#{id}' };
    it.each([
      ['nothing of the credential handed on', { params: { key: 'x' } }],
      ['nothing at all', { params: {} }],
      ['a default in the place of every credential', { params: { token: '#{token|anybody}' } }],
      ['no mapping', { mapping: undefined }],
      ['no uid', { mapping: { email: '#{email}' } }],
      ['one uid for everybody', { mapping: { uid: 'everybody' } }],
      ['a uid with a default', { mapping: { uid: '#{id|everybody}' } }],
      ['no address', { url: undefined }],
    ])('A-23 refuses a definition with %s', (_, options) => {
      expect(parse(options).success).toBe(false);
      expect(
        parse({ ...options, mapping: verifying, params: { token: '#{token}' }, url: 'https://p.example/' })
          .success,
      ).toBe(true);
    });

    it('A-23 refuses a kind that verifies nothing when the server starts', () => {
      const { optionsSchema, secretPaths, defaults } = stage.kind;
      const hollow = { kind: 'hollow', reservedSlug: null, optionsSchema, secretPaths, defaults };
      expect(() => new VerifierKinds().register(hollow as unknown as VerifierKind)).toThrow(
        'verifies nothing',
      );
    });
  });

  describe('C-05', () => {
    it.each(HOSTILE)('C-05 keeps %j inside its value of a query', async (token) => {
      const verifier = stage.verifierOf({ method: 'GET', url: `${stage.partner.url}/nested?a=#{token}&b=1` });
      await errorOf(verifier, { token });
      const url = new URL(stage.partner.lastCall.target, stage.partner.url);
      expect(url.pathname).toBe('/nested');
      expect([...url.searchParams]).toEqual([
        ['a', token],
        ['b', '1'],
        ['token', token],
      ]);
    });

    it.each(HOSTILE)('C-05 keeps %j inside its segment of a path', async (token) => {
      const before = calls();
      const verifier = stage.verifierOf({ url: `${stage.partner.url}/nested/#{token}/end`, params: {} });
      await errorOf(verifier, { token });
      // Dot segments cannot be encoded: every parser takes them for what they are.
      if (token === '.' || token === '..') return expect(calls()).toBe(before);
      const [, first, segment, end, ...rest] = stage.partner.lastCall.target.split('/');
      expect([first, decodeURIComponent(segment!), end, rest]).toEqual(['nested', token, 'end', []]);
    });

    it.each(HOSTILE)('C-05 keeps %j inside its member of a JSON body', async (token) => {
      await errorOf(stage.verifierOf({ params: { token: '#{token}', deep: { x: ['#{token}', 1, null] } } }), {
        token,
      });
      expect(JSON.parse(stage.partner.lastCall.body)).toEqual({ token, deep: { x: [token, 1, null] } });
    });

    it.each(HOSTILE)('C-05 keeps %j inside its field of a form', async (token) => {
      await errorOf(stage.verifierOf({ params: { token: '#{token}', 'a&b': 1 }, body_format: 'form' }), {
        token,
      });
      expect([...new URLSearchParams(stage.partner.lastCall.body)]).toEqual([
        ['token', token],
        ['a&b', '1'],
      ]);
    });

    it.each(HOSTILE)('C-05 keeps %j inside its header, or calls nobody', async (token) => {
      const before = calls();
      const verifier = stage.verifierOf({ method: 'GET', headers: { 'X-Token': '<#{token}>' }, params: {} });
      const { code } = await errorOf(verifier, { token });
      expect(code).toBe('invalid_credentials');
      if (calls() === before) return expect(token).toMatch(/[^\x20-\x7e\xa0-\xff]/);
      expect(stage.partner.lastCall.headers['x-token']).toBe(`<${token}>`);
      expect(stage.partner.lastCall.headers['x-admin']).toBeUndefined();
    });

    it('C-05 keeps any text inside its place', async () => {
      const verifier = stage.verifierOf({
        url: `${stage.partner.url}/nested/#{login}?q=#{login}`,
        params: { token: '#{token}' },
      });
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), async (text) => {
          const before = calls();
          await errorOf(verifier, { token: text, login: text });
          if (text === '.' || text === '..') return expect(calls()).toBe(before);
          const url = new URL(stage.partner.lastCall.target, stage.partner.url);
          expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'nested', text]);
          expect([...url.searchParams]).toEqual([['q', text]]);
          expect(JSON.parse(stage.partner.lastCall.body)).toEqual({ token: text });
        }),
        { numRuns: 60 },
      );
    });

    it('C-05 refuses a token of more than 8 kB before anybody is called', () => {
      const before = calls();
      const { credentialSchema } = stage.verifierOf();
      for (const token of ['x'.repeat(8193), 'x'.repeat(100_000), 'ü'.repeat(4097), '\ud800']) {
        expect(credentialSchema.safeParse({ token }).success).toBe(false);
      }
      expect(credentialSchema.safeParse({ token: 'x'.repeat(8192) }).success).toBe(true);
      expect(calls()).toBe(before);
    });
  });

  describe('C-06', () => {
    it.each([
      'https://#{login}.example/',
      'https://#{login}/',
      'https://partner.example#{login}/',
      'https://partner.example:#{login}/',
      'https://#{login}@partner.example/',
      'https://user:#{password}@partner.example/',
      '#{login}://partner.example/',
      '#{login}',
      '//#{login}/',
      'https://partner.example/?#{login}=1',
      'https://partner.example/?a=1&x#{login}=1',
      'https://partner.example/?#{login}',
      'https://partner.example/##{login}',
      'https://partner.example/#x',
      'https://partner.example\\#{login}/',
      'https://user@partner.example/',
      'http://partner.example/',
      'http://10.0.0.1/',
      'http://localhost.example/',
      'ftp://partner.example/',
      'javascript:alert(1)',
      'https://partner.example/a b',
      'https://partner.example/a/../#{login}',
      'https://partner.example/%2e%2e/#{login}',
      'https://partner.example/ü',
      'https://partner.example/#{user}',
      'https://partner.example/#{constructor}',
      'https://partner.example/#{login.length}',
      `https://partner.example/${'x'.repeat(2048)}`,
      '',
    ])('C-06 refuses %s', (url) => {
      expect(parse({ url }).success).toBe(false);
    });

    it.each([
      'https://partner.example',
      'https://partner.example:8443/users/#{login}/verify?a=#{email}&key=1',
      'https://partner.example/u-#{login}.json',
      'http://127.0.0.1:9000/x',
      'http://localhost/x',
      'http://[::1]:8090/x',
    ])('takes %s', (url) => {
      expect(parse({ url }).success).toBe(true);
    });

    it('C-06 takes no dot segment that a credential completes', async () => {
      const before = calls();
      for (const segment of ['.#{login}', '%2e#{login}', '#{login}.', '#{login}#{login}', '%2E#{login}']) {
        const verifier = stage.verifierOf({ url: `${stage.partner.url}/nested/a/${segment}/b` });
        expect((await errorOf(verifier, { token: 't', login: '.' })).code).toBe('invalid_credentials');
      }
      expect(calls()).toBe(before);
    });
  });

  describe('C-11', () => {
    it.each(Object.keys(RUBBISH) as (keyof typeof RUBBISH)[])(
      'C-11 blames the partner for %s',
      async (name) => {
        const token = stage.partner.tokenFor(RUBBISH[name]);
        expect((await errorOf(stage.verifierOf(), { token })).code).toBe('identity_provider_unavailable');
      },
    );

    it('C-11 blames the partner for an answer without an end', async () => {
      stage.partner.neverEnd();
      expect((await errorOf(stage.verifierOf(), { token: 't' })).code).toBe('identity_provider_unavailable');
    });

    it.each(['[{"id":1}]', '{"id":1}', '{"User":{"id":1}}', '{"user":[1]}', '{"user":"ada"}'])(
      'C-11 blames the mapping for %s',
      async (body) => {
        const token = stage.partner.tokenFor({ status: 200, body });
        expect((await errorOf(stage.verifierOf(), { token })).code).toBe('identity_provider_misconfigured');
      },
    );

    it('B-13 takes no answer that names somebody twice', async () => {
      const token = stage.partner.tokenFor({ status: 200, body: '{"user":{"id":"1"},"user":{"id":"2"}}' });
      expect((await errorOf(stage.verifierOf(), { token })).code).toBe('identity_provider_unavailable');
    });
  });

  describe('C-12', () => {
    it('C-12 keeps an answer with names of the language from changing anything', async () => {
      const body =
        '{"user":{"id":7,"__proto__":{"id":8,"admin":true},"constructor":{"prototype":{"admin":true}},"toString":"x"},"__proto__":{"user":{"id":9}}}';
      const token = stage.partner.tokenFor({ status: 200, body });
      const mapping = { uid: '#{user.id}', full_name: '#{user.toString}', 'attributes.all': '#{user}' };
      const identity = await verify(stage.verifierOf({ mapping }), { token });
      expect(identity).toMatchObject({ subject: '7', user: { fullName: 'x' } });
      expect(identity.user!.attributes).toBeUndefined();
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    });
  });

  describe('C-14', () => {
    it.each(['role', 'is_admin', 'id', 'email_verified', 'banned_until', 'app_id', 'password'])(
      'C-14 refuses a mapping of %s',
      (name) => {
        const { error } = parse({ mapping: { uid: '#{id}', [name]: '#{x}' } });
        expect(error!.issues).toMatchObject([
          { path: ['mapping', name], message: 'is never taken from a partner' },
        ]);
      },
    );
  });

  describe('C-19', () => {
    const key = Buffer.alloc(32, 7);
    const signing = { secret: `whsec_${key.toString('base64')}` };
    const signatureOf = (payload: string) => {
      const { headers } = stage.partner.lastCall;
      const mac = createHmac('sha256', key);
      mac.update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${payload}`);
      return `v1,${mac.digest('base64')}`;
    };

    it('C-19 signs the body of a POST, with a time and a number used once', async () => {
      const verifier = stage.verifierOf({ signing });
      const ids = new Set<unknown>();
      for (const name of ['ada', 'ada']) {
        await verify(verifier, { token: stage.partner.tokenOf(name) });
        const { headers, body } = stage.partner.lastCall;
        expect(headers['webhook-signature']).toBe(signatureOf(body));
        expect(headers['webhook-timestamp']).toBe(String(Math.floor(clock.now() / 1000)));
        ids.add(headers['webhook-id']);
        clock.advance({ seconds: 1 });
      }
      expect(ids.size).toBe(2);
    });

    it('C-19 signs path and query of a GET', async () => {
      await verify(stage.verifierOf({ signing, method: 'GET' }), { token: stage.partner.tokenOf('ada') });
      const { headers, target } = stage.partner.lastCall;
      expect(headers['webhook-signature']).toBe(signatureOf(target));
    });

    it.each([
      '',
      'short',
      Buffer.alloc(23).toString('base64'),
      Buffer.alloc(65).toString('base64'),
      'not base64 ***',
    ])('C-19 takes no key like %j', (secret) => {
      expect(parse({ signing: { secret } }).success).toBe(false);
    });
  });

  describe('C-22', () => {
    it.each(Object.keys(REFUSALS) as (keyof typeof REFUSALS)[])(
      'C-22 shows nothing of what the partner says with %s',
      async (name) => {
        const refusal = REFUSALS[name];
        const secret = 'another-persons-token-7f3a';
        const body =
          refusal.status === 200 ? refusal.body.replace('{', `{"x":"${secret}",`) : refusal.body + secret;
        const token = stage.partner.tokenFor({ ...refusal, body });
        const error = await errorOf(stage.verifierOf(), { token });
        expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(secret);
        expect(error.message).toBe(error.code);
      },
    );

    it('C-22 shows nothing of an answer that does not fit', async () => {
      const secret = 'another-persons-token-7f3a';
      const mapping = { uid: '#{user.id}', email: { template: '#{user.mail}', required: true } };
      for (const user of [
        { id: 1, mail: secret },
        { id: ` ${secret}` },
        { id: { secret } },
        { mail: secret },
      ]) {
        const token = stage.partner.tokenFor({ status: 200, body: JSON.stringify({ user }) });
        const error = await errorOf(stage.verifierOf({ mapping }), { token });
        expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(secret);
      }
    });
  });

  describe('C-25', () => {
    it.each([...Object.keys(REFUSALS), ...Object.keys(RUBBISH)])(
      'C-25 calls the partner once, whatever it answers: %s',
      async (name) => {
        const token = stage.partner.tokenFor({ ...REFUSALS, ...RUBBISH }[name as 'nothing']);
        const before = calls();
        await errorOf(stage.verifierOf(), { token });
        expect(calls() - before).toBe(1);
      },
    );

    it('C-25 follows no redirect', async () => {
      const headers = { location: `${stage.partner.url}/flat` };
      const token = stage.partner.tokenFor({ status: 307, headers, body: '' });
      const before = calls();
      expect((await errorOf(stage.verifierOf(), { token })).code).toBe('identity_provider_misconfigured');
      expect(calls() - before).toBe(1);
    });

    it('C-25 tries no second time after the connection was made', async () => {
      let connections = 0;
      const rude = createServer((socket) => {
        connections += 1;
        socket.once('data', () => socket.destroy());
      });
      await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(rude.address() as AddressInfo).port}/`;
      expect((await errorOf(stage.verifierOf({ url }), { token: 't' })).code).toBe(
        'identity_provider_unavailable',
      );
      expect(connections).toBe(1);
      await new Promise((resolve) => rude.close(resolve));
    });

    it('C-25 tries a second time, and no third, when no connection could be made', async () => {
      const partner = await PartnerDouble.start();
      const { outbound } = kindTowards(clock, '127.0.0.1');
      let tries = 0;
      const send: OutboundClient['send'] = (request) => {
        tries += 1;
        return outbound.send(request);
      };
      const counting = new HttpKind({ send } as OutboundClient, clock);
      const verifier = stage.verifierOf({ url: `${partner.url}/nested` }, counting);
      const token = partner.tokenOf('ada');
      await partner.goDown();
      expect((await errorOf(verifier, { token })).code).toBe('identity_provider_unavailable');
      expect(tries).toBe(2);
      await partner.comeBack();
      await verify(verifier, { token });
      expect({ tries, calls: partner.calls.length }).toEqual({ tries: 3, calls: 1 });
      await outbound.close();
      await partner.goDown();
    });
  });
});
