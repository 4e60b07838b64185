import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IntrospectionKind } from '../../src/custom-idp/introspection/introspection.kind.js';
import { ManualClock } from '../support/manual-clock.js';
import { claimsStage, outcomeOf, type ClaimsStage } from '../support/oidc/claims-stage.js';
import { CLIENT } from '../support/oidc/issuer-double.js';

const PATH = '/introspect';

describe('tokens that an authorization server is asked about', () => {
  let clock: ManualClock;
  let stage: ClaimsStage;
  beforeEach(async () => {
    clock = new ManualClock();
    stage = await claimsStage(clock);
  });
  afterEach(() => stage.close());

  const now = () => clock.now() / 1000;
  const outcome = (token: string, options: object = {}) => outcomeOf(stage.introspection(options), { token });
  const of = (facts: object, options: object = {}) =>
    outcome(stage.issuer.opaqueToken('ada', { ...facts }), options);

  it.each([
    'plain',
    'with+plus/and=equals==',
    'a&uid=1&token=b',
    'percent%20%00%2e%2e',
    '../../etc/passwd#fragment?query',
    ' blanks at both ends ',
    'x'.repeat(8192),
    '{"json":"[]"}',
    `quotes"'<>\\`,
  ])('A-22 sends %j as it came, byte for byte', async (token) => {
    stage.issuer.remember(token, { active: true, ...stage.issuer.claimsOf('ada') });
    expect(await outcome(token)).toBe('verified');
    const [asked, ...others] = stage.issuer.forms;
    expect(others).toEqual([]);
    expect(asked!.form.getAll('token')).toEqual([token]);
    expect([...asked!.form.keys()]).toEqual(['token']);
  });

  it('A-22 asks for each token, and remembers no answer', async () => {
    const verifier = stage.introspection();
    const token = stage.issuer.opaqueToken('ada');
    expect(await outcomeOf(verifier, { token })).toBe('verified');
    stage.issuer.remember(token, { active: false });
    expect(await outcomeOf(verifier, { token })).toBe('invalid_credentials');
    expect(await outcomeOf(verifier, { token: `${token.slice(0, -1)}!` })).toBe('invalid_credentials');
    expect(stage.issuer.countOf(PATH)).toBe(3);
  });

  it('A-17 refuses one of our own session tokens', async () => {
    expect(await outcome('osta_QmFzZTY0dXJsVG9rZW5PZlRoaXJ0eVR3b0J5dGVz')).toBe('invalid_credentials');
  });

  describe('A-23 refuses a definition', () => {
    it.each([
      ['that does not say whose tokens count', { audiences: undefined }],
      ['with an empty list of audiences', { audiences: [] }],
      ['with an empty list of clients', { audiences: undefined, client_ids: [] }],
      ['with an empty audience', { audiences: [''] }],
      ['without a secret to ask with', { client_secret: undefined }],
      ['without a client to ask as', { client_id: undefined }],
      ['that asks in two ways', { bearer: 'a-token-to-ask-with' }],
      ['without an address', { url: undefined }],
      ['with an address behind plain HTTP', { url: 'http://partner.example/introspect' }],
      ['with an address that is none', { url: 'file:///etc/passwd' }],
      ['with a password in its address', { url: 'https://user:word@partner.example/introspect' }],
      ['with a switch that nobody knows', { insecure_skip_audience: true }],
    ])('%s', (_, overrides) => {
      const options = {
        url: 'https://partner.example/introspect',
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        audiences: [CLIENT.id],
      };
      const { optionsSchema } = new IntrospectionKind(stage.outbound, clock);
      expect(optionsSchema.safeParse(options).success).toBe(true);
      expect(optionsSchema.safeParse({ ...options, ...overrides }).success).toBe(false);
    });
  });

  it.each([false, 'true', 'false', 1, null, undefined, ['true'], {}])(
    'takes %j for no word that a token is active',
    async (active) => {
      expect(['invalid_credentials', 'identity_provider_unavailable']).toContain(await of({ active }));
    },
  );

  it('B-10 counts tokens for one of the audiences, and of one of the clients where both are listed', async () => {
    const both = { client_ids: ['app-one', 'app-two'] };
    expect(await of({ aud: ['theirs', CLIENT.id] })).toBe('verified');
    expect(await of({ aud: ['theirs'] })).toBe('invalid_credentials');
    expect(await of({ aud: {} })).toBe('invalid_credentials');
    expect(await of({ client_id: 'app-two' }, both)).toBe('verified');
    expect(await of({ client_id: 'theirs' }, both)).toBe('invalid_credentials');
    expect(await of({ client_id: ['app-two'] }, both)).toBe('invalid_credentials');
    expect(await of({ client_id: 'app-two', aud: 'theirs' }, both)).toBe('invalid_credentials');
    expect(await of({ client_id: 'app-two', aud: undefined }, { ...both, audiences: undefined })).toBe(
      'verified',
    );
  });

  it('B-11 compares the issuer where the definition names one, character by character', async () => {
    const issuer = 'https://partner.example';
    const outcomes = [];
    for (const iss of [issuer, `${issuer}/`, 'https://Partner.example', undefined]) {
      outcomes.push(await of({ iss }, { issuer }));
    }
    expect(outcomes).toEqual(['verified', ...Array<string>(3).fill('invalid_credentials')]);
  });

  it.each([
    ['exp', -59, 'verified'],
    ['exp', -60, 'invalid_credentials'],
    ['nbf', 60, 'verified'],
    ['nbf', 61, 'invalid_credentials'],
  ])('B-09 judges %s of %d seconds from now: %s', async (claim, seconds, expected) => {
    expect(await of({ [claim]: now() + seconds })).toBe(expected);
  });

  it('B-13 takes no answer that names the subject twice', async () => {
    const body = JSON.stringify({ active: true, ...stage.issuer.claimsOf('ada') }).replace(
      '{',
      '{"sub":"bob",',
    );
    stage.issuer.script(PATH, { status: 200, body, headers: { 'content-type': 'application/json' } });
    expect(await outcome('a-token')).toBe('identity_provider_unavailable');
  });

  it('refuses a token of a machine', async () => {
    expect(await of({ sub: 'a-service', client_id: 'a-service' })).toBe('invalid_credentials');
  });

  it.each([
    [401, 'identity_provider_misconfigured'],
    [403, 'identity_provider_misconfigured'],
    [400, 'identity_provider_misconfigured'],
    [404, 'identity_provider_misconfigured'],
    [302, 'identity_provider_misconfigured'],
    [429, 'identity_provider_unavailable'],
    [500, 'identity_provider_unavailable'],
    [503, 'identity_provider_unavailable'],
  ])('C-22 answers status %d with %s, and repeats nothing of it', async (status, expected) => {
    const headers = { location: `${stage.issuer.issuer}/elsewhere` };
    stage.issuer.script(PATH, { status, body: 'stack trace of somebody-elses-token', headers });
    const verifier = stage.introspection();
    const error: unknown = await verifier
      .verify({ token: 'a-token' }, { signal: AbortSignal.timeout(5000) })
      .catch((thrown: unknown) => thrown);
    expect((error as { code: string }).code).toBe(expected);
    expect(String((error as Error).cause)).not.toContain('somebody-elses-token');
    expect(stage.issuer.requests).toEqual([`POST ${PATH}`]);
  });

  it.each(['', '[]', 'null', '"active"', '{', '\ufeff{"active":true}', '{"active":true,"exp":"soon"}'])(
    'C-11 takes %j for no answer',
    async (body) => {
      stage.issuer.script(PATH, { status: 200, body });
      expect(await outcome('a-token')).toBe('identity_provider_unavailable');
    },
  );

  it.each([
    ['basic', {}],
    ['post', { client_auth: 'post' }],
  ])('asks as its client, by %s', async (_, options) => {
    expect(await of({}, options)).toBe('verified');
  });

  it('encodes name and secret before they go into HTTP Basic (RFC 6749 §2.3.1)', async () => {
    await outcome('a-token', { client_id: 'our:client', client_secret: 'se%cr+et:&' });
    const [, encoded = ''] = stage.issuer.authorizations[0]!.split(' ');
    const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':');
    expect([decodeURIComponent(id), decodeURIComponent(secret)]).toEqual(['our:client', 'se%cr+et:&']);
  });

  it('asks with a token of its own where it has one', async () => {
    const options = { client_id: undefined, client_secret: undefined, bearer: 'a-token-to-ask-with' };
    await outcome('a-token', options);
    expect(stage.issuer.authorizations).toEqual(['Bearer a-token-to-ask-with']);
  });

  it('hands the hint on', async () => {
    await of({}, { token_type_hint: 'access_token' });
    expect(stage.issuer.forms[0]!.form.get('token_type_hint')).toBe('access_token');
  });
});
