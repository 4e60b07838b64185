import { generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OidcKind } from '../../src/custom-idp/oidc/oidc.kind.js';
import type { OidcVerifier } from '../../src/custom-idp/oidc/oidc.verifier.js';
import type { RedirectCallback } from '../../src/identity/identity-verifier.js';
import type { VerifiedIdentity } from '../../src/identity/verified-identity.js';
import { ManualClock } from '../support/manual-clock.js';
import { claimsStage, outcomeOf, type ClaimsStage } from '../support/oidc/claims-stage.js';
import { CLIENT, type TokenOverrides } from '../support/oidc/issuer-double.js';
import { rsaKey, signedToken } from '../support/signed-token.js';

const DISCOVERY = '/.well-known/openid-configuration';
const RESOURCE = 'https://api.example';
const CALLBACK = new URL('https://id.example/v1/sign-in/callback');

describe('tokens of OpenID providers', () => {
  let clock: ManualClock;
  let stage: ClaimsStage;
  beforeEach(async () => {
    clock = new ManualClock();
    // openid-client has the system's clock.
    clock.advance({ milliseconds: Date.now() - clock.now() });
    stage = await claimsStage(clock);
  });
  afterEach(() => stage.close());

  const now = () => Math.floor(clock.now() / 1000);
  const withNonce = (verifier: OidcVerifier, { payload = {}, ...rest }: TokenOverrides = {}) => ({
    id_token: stage.issuer.token('ada', {
      payload: { nonce: verifier.issueNonce().nonce, ...payload },
      ...rest,
    }),
  });
  const outcome = (overrides: TokenOverrides = {}, options: object = {}) => {
    const verifier = stage.oidc(options);
    return outcomeOf(verifier, withNonce(verifier, overrides));
  };
  const identity = (verifier: OidcVerifier, credential: object) =>
    verifier.verify(verifier.credentialSchema.parse(credential), { signal: AbortSignal.timeout(5000) });

  it('A-17 refuses one of our own session tokens', async () => {
    const token = 'osta_QmFzZTY0dXJsVG9rZW5PZlRoaXJ0eVR3b0J5dGVz';
    expect(await outcomeOf(stage.oidc(), { id_token: token })).toBe('invalid_credentials');
    const verifier = stage.oidc({ access_tokens: 'introspection' });
    expect(await outcomeOf(verifier, { access_token: token })).toBe('invalid_credentials');
  });

  it.each(['at+jwt', 'application/at+jwt', 'logout+jwt', 'dpop+jwt', ''])(
    'A-19 refuses a token of type %j where an ID token is asked for',
    async (typ) => {
      expect(await outcome({ header: { typ } })).toBe('invalid_credentials');
    },
  );

  describe('A-19 access tokens', () => {
    const options = { access_tokens: 'jwt', access_token_audiences: [RESOURCE] };
    const of = (overrides: TokenOverrides = {}, audience = RESOURCE) =>
      outcomeOf(stage.oidc(options), { access_token: stage.issuer.accessToken('ada', audience, overrides) });

    it('A-19 are no credential unless the definition says how their audience is known', () => {
      expect(stage.oidc().credentialSchema.safeParse({ access_token: 'x' }).success).toBe(false);
    });

    it('A-19 are taken when they were made for us', async () => {
      expect(await of()).toBe('verified');
      expect(await of({}, 'https://other.example')).toBe('invalid_credentials');
      expect(await of({ payload: { client_id: 'another-client' } })).toBe('invalid_credentials');
      expect(await of({ payload: { client_id: undefined } })).toBe('invalid_credentials');
    });

    it('B-10 may be for others as well, when they were issued to us', async () => {
      const aud = [RESOURCE, 'https://other.example'];
      expect(await of({ payload: { aud } })).toBe('verified');
      expect(await of({ payload: { aud, client_id: undefined, azp: CLIENT.id } })).toBe('verified');
      expect(await of({ payload: { aud, client_id: undefined } })).toBe('invalid_credentials');
      expect(await of({ payload: { aud, azp: 'another-client' } })).toBe('invalid_credentials');
      expect(await of({ payload: { aud: CLIENT.id } })).toBe('invalid_credentials');
    });

    it('A-19 are no ID tokens, and ID tokens no access tokens', async () => {
      const verifier = stage.oidc(options);
      const accessToken = stage.issuer.accessToken('ada', CLIENT.id, {
        payload: { nonce: verifier.issueNonce().nonce },
      });
      expect(await outcomeOf(verifier, { id_token: accessToken })).toBe('invalid_credentials');
      const idToken = stage.issuer.token('ada', { payload: { aud: RESOURCE, client_id: CLIENT.id } });
      expect(await outcomeOf(verifier, { access_token: idToken })).toBe('invalid_credentials');
    });

    it('A-19 are refused when they are of a machine', async () => {
      expect(await of({ payload: { sub: CLIENT.id } })).toBe('invalid_credentials');
    });

    it('A-19 are asked about where the definition says so, each time', async () => {
      const verifier = stage.oidc({ access_tokens: 'introspection', access_token_audiences: [RESOURCE] });
      const ask = (facts: object) =>
        outcomeOf(verifier, { access_token: stage.issuer.opaqueToken('ada', { aud: RESOURCE, ...facts }) });
      expect(await ask({})).toBe('verified');
      expect(await ask({ client_id: 'another-client' })).toBe('invalid_credentials');
      expect(await ask({ aud: 'https://other.example' })).toBe('invalid_credentials');
      expect(stage.issuer.countOf('/introspect')).toBe(3);
    });
  });

  describe('A-23 refuses a definition', () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const apple = { team_id: 'TEAM123456', key_id: 'KEY1234567', private_key: pem };
    const own = { issuer: 'https://partner.example', client_id: CLIENT.id };
    const ofPreset = (preset: string) => ({ preset, issuer: undefined });
    const tenants = ['11111111-1111-1111-1111-111111111111'];
    it.each([
      ['without an issuer', { issuer: undefined }],
      ['without a client', { client_id: undefined }],
      ['with an empty client', { client_id: '' }],
      ['with no algorithm', { algorithms: [] }],
      ['with the algorithm none', { algorithms: ['none'] }],
      ['with a shared secret for an algorithm', { algorithms: ['HS256'] }],
      ['with an issuer behind plain HTTP', { issuer: 'http://partner.example' }],
      ['with a query in its issuer', { issuer: 'https://partner.example?a=b' }],
      ['with an unknown preset', ofPreset('myspace')],
      ['with another issuer than its preset', { preset: 'google' }],
      ['of Microsoft without tenants', ofPreset('microsoft')],
      ['of Microsoft for everybody', { ...ofPreset('microsoft'), tenants: ['common'] }],
      ['with tenants that its issuer has no place for', { tenants }],
      ['with a place for tenants and none of them', { issuer: 'https://partner.example/{tenantid}' }],
      ['with hosted domains that are not Google', { hosted_domains: ['example.org'] }],
      ['with a key of Apple that is for somebody else', { apple }],
      ['of Apple with two secrets', { ...ofPreset('apple'), apple, client_secret: 'a-secret' }],
      ['of Apple with scopes', { ...ofPreset('apple'), scope: ['openid', 'email'] }],
      ['of Apple with a key that is none', { ...ofPreset('apple'), apple: { ...apple, private_key: 'x' } }],
      ['that asks for no ID token', { scope: ['email'] }],
      ['with access tokens of unknown audience', { access_tokens: 'jwt' }],
      ['with access tokens of any audience', { access_tokens: 'any' }],
      ['with access tokens that userinfo is to prove', { access_tokens: 'userinfo' }],
      ['with access tokens that nobody may ask about', { access_tokens: 'introspection' }],
      ['with access tokens that Google does not know', { access_tokens: 'google_tokeninfo' }],
      ['without nonces', { nonce: 'off' }],
      ['with a switch that nobody knows', { insecure_skip_audience: true }],
    ])('%s', (_, overrides) => {
      const { optionsSchema } = new OidcKind(stage.outbound, stage.secrets, clock);
      expect(optionsSchema.safeParse(own).success).toBe(true);
      expect(optionsSchema.safeParse({ ...own, ...overrides }).success).toBe(false);
    });
  });

  it('B-01 refuses unsigned tokens', async () => {
    const verifier = stage.oidc();
    const payload = { ...stage.issuer.claimsOf('ada'), nonce: verifier.issueNonce().nonce };
    for (const alg of ['none', 'None', '', undefined]) {
      const id_token = signedToken({ header: { alg, kid: 'first' }, payload, key: null });
      expect(await outcomeOf(verifier, { id_token })).toBe('invalid_credentials');
    }
  });

  it('B-02 takes neither our secret nor a public key for the secret of a signature', async () => {
    const verifier = stage.oidc({ algorithms: ['RS256', 'ES256'] });
    const payload = { ...stage.issuer.claimsOf('ada'), nonce: verifier.issueNonce().nonce };
    const spki = stage.issuer.key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const key of [CLIENT.secret, spki, spki.trim()]) {
      for (const alg of ['HS256', 'RS256']) {
        const id_token = signedToken({ header: { alg, kid: 'first' }, payload, key });
        expect(await outcomeOf(verifier, { id_token })).toBe('invalid_credentials');
      }
    }
  });

  it('B-03 looks at no key that the token brings along', async () => {
    const attacker = rsaKey('first');
    const header = { jku: `${stage.issuer.issuer}/theirs`, jwk: attacker.jwk };
    expect(await outcome({ header, key: attacker })).toBe('invalid_credentials');
    expect(stage.issuer.requests).toEqual([`GET ${DISCOVERY}`, 'GET /jwks']);
  });

  it('B-05 asks once for what many wait for', async () => {
    const verifier = stage.oidc();
    const tokens = Array.from({ length: 50 }, () => withNonce(verifier));
    const outcomes = await Promise.all(tokens.map((token) => outcomeOf(verifier, token)));
    expect(new Set(outcomes)).toEqual(new Set(['verified']));
    expect(stage.issuer.requests).toEqual([`GET ${DISCOVERY}`, 'GET /jwks']);
  });

  it('B-06 goes on with what it knows while the provider is down, and then blames the provider', async () => {
    const verifier = stage.oidc();
    const fresh = () => outcomeOf(verifier, withNonce(verifier));
    expect(await fresh()).toBe('verified');
    await stage.issuer.goDown();
    clock.advance({ minutes: 70 });
    expect(await fresh()).toBe('verified');
    clock.advance({ seconds: 1 });
    expect(await fresh()).toBe('identity_provider_unavailable');
  });

  it('B-08 takes new keys, and the old ones not any more', async () => {
    const verifier = stage.oidc();
    const old = stage.issuer.key;
    expect(await outcomeOf(verifier, withNonce(verifier))).toBe('verified');
    stage.issuer.rotateKeys();
    clock.advance({ minutes: 10, seconds: 1 });
    expect(await outcomeOf(verifier, withNonce(verifier))).toBe('verified');
    expect(await outcomeOf(verifier, withNonce(verifier, { key: old }))).toBe('invalid_credentials');
  });

  it.each([
    ['exp', -59, 'verified'],
    ['exp', -60, 'invalid_credentials'],
    ['nbf', 61, 'invalid_credentials'],
    ['iat', 61, 'invalid_credentials'],
  ])('B-09 judges %s of %d seconds from now: %s', async (claim, seconds, expected) => {
    expect(await outcome({ payload: { [claim]: now() + seconds } })).toBe(expected);
  });

  it('B-10 takes tokens for the clients that the definition lists, and for no others', async () => {
    const listed = { client_ids: ['our-ios-app'] };
    expect(await outcome({ payload: { aud: 'our-ios-app' } }, listed)).toBe('verified');
    expect(await outcome({ payload: { azp: 'our-ios-app' } }, listed)).toBe('verified');
    expect(await outcome({ payload: { aud: 'our-ios-app' } })).toBe('invalid_credentials');
    expect(await outcome({ payload: { azp: 'their-app' } }, listed)).toBe('invalid_credentials');
    expect(await outcome({ payload: { aud: [CLIENT.id, 'theirs'] } }, listed)).toBe('invalid_credentials');
  });

  it('B-11 compares the issuer of tokens character by character', async () => {
    const { issuer } = stage.issuer;
    for (const iss of [`${issuer}/`, issuer.replace('http:', 'https:'), 'https://other.example', undefined]) {
      expect(await outcome({ payload: { iss } })).toBe('invalid_credentials');
    }
  });

  describe('B-12 a discovery document', () => {
    it.each([
      ['of another issuer', () => ({ issuer: 'https://other.example' })],
      ['of an issuer with a slash more', () => ({ issuer: `${stage.issuer.issuer}/` })],
      ['of an issuer in other letters', () => ({ issuer: stage.issuer.issuer.replace('http:', 'HTTP:') })],
      ['without an issuer', () => ({ issuer: undefined })],
      ['without keys', () => ({ jwks_uri: undefined })],
      ['with keys behind plain HTTP', () => ({ jwks_uri: 'http://other.example/jwks' })],
      ['with keys in a file', () => ({ jwks_uri: 'file:///etc/passwd' })],
    ])('B-12 %s is refused', async (_, document) => {
      stage.issuer.document = document();
      expect(await outcome()).toMatch(/^identity_provider_/);
      expect(stage.issuer.requests).toEqual([`GET ${DISCOVERY}`]);
    });

    it.each([301, 302, 307, 308])('B-12 behind a redirect (%d) is refused', async (status) => {
      const headers = { location: `${stage.issuer.issuer}/elsewhere` };
      stage.issuer.script(DISCOVERY, { status, body: '', headers });
      expect(await outcome()).toBe('identity_provider_misconfigured');
      expect(stage.issuer.requests).toEqual([`GET ${DISCOVERY}`]);
    });

    it('B-12 of another issuer is refused when it is looked at again, and what was known is not believed', async () => {
      const verifier = stage.oidc();
      expect(await outcomeOf(verifier, withNonce(verifier))).toBe('verified');
      stage.issuer.document = { issuer: 'https://other.example' };
      clock.advance({ minutes: 10, seconds: 1 });
      expect(await outcomeOf(verifier, withNonce(verifier))).toBe('identity_provider_misconfigured');
      stage.issuer.document = {};
      clock.advance({ seconds: 30 });
      expect(await outcomeOf(verifier, withNonce(verifier))).toBe('verified');
    });

    it('B-12 that is at fault is asked for once in a while, however many sign in', async () => {
      stage.issuer.document = { issuer: 'https://other.example' };
      const verifier = stage.oidc();
      for (let i = 0; i < 20; i += 1) await outcomeOf(verifier, withNonce(verifier));
      expect(stage.issuer.requests).toEqual([`GET ${DISCOVERY}`]);
    });
  });

  it('B-07 takes no discovery document without an end', async () => {
    const padded = { issuer: stage.issuer.issuer, padding: 'x'.repeat(300_000) };
    stage.issuer.script(DISCOVERY, { status: 200, body: padded });
    expect(await outcome()).toBe('identity_provider_unavailable');
  });

  it('B-13 refuses a repeated member of the payload', async () => {
    const verifier = stage.oidc();
    const claims = { ...stage.issuer.claimsOf('ada'), nonce: verifier.issueNonce().nonce };
    const payload = JSON.stringify(claims).replace('{', '{"sub":"bob",');
    const { privateKey } = stage.issuer.key;
    const id_token = signedToken({ header: { alg: 'RS256', kid: 'first' }, payload, key: privateKey });
    expect(await outcomeOf(verifier, { id_token })).toBe('invalid_credentials');
  });

  it.each([{ crit: ['exp'] }, { b64: false }, { zip: 'DEF' }, { enc: 'A256GCM' }])(
    'B-14 refuses the header %j',
    async (header) => {
      expect(await outcome({ header })).toBe('invalid_credentials');
    },
  );

  it('B-15 makes a token of one use of its nonce, whatever else is in the token', async () => {
    const verifier = stage.oidc();
    const { nonce } = verifier.issueNonce();
    const ids = [];
    for (const name of ['Ada', 'Lovelace']) {
      const { oneTime } = await identity(verifier, withNonce(verifier, { payload: { nonce, name } }));
      ids.push(oneTime!.id);
      // Servers' clocks differ: it is remembered for longer than anybody takes it.
      expect(oneTime!.expiresAt.getTime()).toBeGreaterThan(clock.now() + 600_000);
    }
    expect(new Set(ids).size).toBe(1);
  });

  describe('B-16 a nonce', () => {
    const of = (nonce: unknown, more: object = {}) => {
      const id_token = stage.issuer.token('ada', { payload: { nonce } });
      return outcomeOf(stage.oidc(), { id_token, ...more });
    };

    it('B-16 of ours is taken', async () => {
      expect(await of(stage.oidc().issueNonce().nonce)).toBe('verified');
    });

    it.each([
      undefined,
      null,
      '',
      'of-the-app',
      7,
      ['x'],
      '9999999999.AAAAAAAAAAAAAAAAAAAAAA.' + 'A'.repeat(43),
    ])('B-16 that is %j is refused', async (nonce) => {
      expect(await of(nonce)).toBe('invalid_credentials');
      if (typeof nonce === 'string' && nonce !== '') {
        // Also beside the token, where whoever has read it can put it.
        expect(await of(nonce, { nonce })).toBe('invalid_credentials');
      }
    });

    it('B-16 of another provider is refused', async () => {
      expect(await of(stage.oidc({}, undefined, 2).issueNonce().nonce)).toBe('invalid_credentials');
    });

    it('B-16 that was changed is refused', async () => {
      const { nonce } = stage.oidc().issueNonce();
      const [expiry = '', random = '', mac = ''] = nonce.split('.');
      for (const changed of [
        [String(Number(expiry) + 1), random, mac],
        [expiry, randomBytes(16).toString('base64url'), mac],
        [expiry, random, `${mac.slice(0, -1)}${mac.endsWith('A') ? 'B' : 'A'}`],
        [`0${expiry}`, random, mac],
        [expiry, random, mac, ''],
      ]) {
        expect(await of(changed.join('.'))).toBe('invalid_credentials');
      }
    });

    it('B-16 of ten minutes ago is refused', async () => {
      const verifier = stage.oidc();
      const { nonce, expiresAt } = verifier.issueNonce();
      expect(expiresAt.getTime() - clock.now()).toBeLessThanOrEqual(600_000);
      clock.advance({ minutes: 9, seconds: 58 });
      expect(await of(nonce)).toBe('verified');
      clock.advance({ seconds: 2 });
      expect(await of(nonce)).toBe('invalid_credentials');
    });

    it('B-16 beside the token has to be the one in it', async () => {
      const { nonce } = stage.oidc().issueNonce();
      expect(await of(nonce, { nonce })).toBe('verified');
      expect(await of(nonce, { nonce: 'another' })).toBe('invalid_credentials');
    });

    it('B-16 may be missing where the operator says so; the token is for one use then, and not for long', async () => {
      const verifier = stage.oidc({ nonce: 'optional' });
      const id_token = stage.issuer.token('ada');
      const first = await identity(verifier, { id_token });
      const second = await identity(verifier, { id_token });
      expect(first.oneTime!.id).toBe(second.oneTime!.id);
      expect(await outcomeOf(verifier, { id_token, nonce: 'of-the-app' })).toBe('invalid_credentials');
      clock.advance({ minutes: 11 });
      expect(await outcomeOf(verifier, { id_token })).toBe('invalid_credentials');
    });
  });

  describe('by way of a browser', () => {
    const started = async (verifier: OidcVerifier) => {
      const leg = {
        callbackUrl: CALLBACK,
        state: randomBytes(32).toString('base64url'),
        nonce: randomBytes(32).toString('base64url'),
        codeVerifier: randomBytes(32).toString('base64url'),
        signal: AbortSignal.timeout(5000),
      };
      const { url, state, memory } = await verifier.startRedirect(leg);
      return { url, callback: { ...leg, state, memory, parameters: {} } as RedirectCallback };
    };
    const finished = async (
      change: (parameters: Record<string, string>, callback: RedirectCallback) => object = () => ({}),
      options: object = {},
    ): Promise<VerifiedIdentity> => {
      const verifier = stage.oidc(options);
      const { url, callback } = await started(verifier);
      const parameters = stage.issuer.consent(url, 'ada');
      return verifier.finishRedirect({ ...callback, parameters, ...change(parameters, callback) });
    };
    const codeOf = (outcome: Promise<unknown>) =>
      outcome.then(
        () => 'verified',
        (error: { code?: string }) => error.code ?? 'an error without a code',
      );

    it('sends the browser away with PKCE, state and nonce', async () => {
      const { url, callback } = await started(stage.oidc());
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        response_type: 'code',
        client_id: CLIENT.id,
        redirect_uri: CALLBACK.href,
        scope: 'openid email profile',
        state: callback.state,
        nonce: callback.nonce,
        code_challenge: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
        code_challenge_method: 'S256',
      });
      expect(url.href).not.toContain(callback.codeVerifier);
    });

    it('ends with the person of the ID token, completed by userinfo', async () => {
      expect(await finished()).toMatchObject({
        subject: 'subject-of-ada',
        email: { address: 'ada@example.org', verified: true },
      });
      stage.issuer.userinfo = { email: 'new@example.org', email_verified: false };
      const mapping = { 'attributes.nick': '#{nickname}' };
      expect(await finished(() => ({}), { userinfo: true, mapping })).toMatchObject({
        email: { address: 'new@example.org', verified: false },
        user: { attributes: { nick: 'from userinfo' } },
      });
    });

    it('D-02 puts no word on one address beside another address', async () => {
      stage.issuer.userinfo = { email: 'victim@example.org', email_verified: undefined };
      const { email } = await finished(() => ({}), { userinfo: true });
      expect(email).toEqual({ address: 'victim@example.org', verified: false });
    });

    it('refuses userinfo of somebody else', async () => {
      stage.issuer.userinfo = { sub: 'subject-of-bob' };
      expect(await codeOf(finished(() => ({}), { userinfo: true }))).toBe('invalid_credentials');
    });

    it.each([
      ['without a code', () => ({ code: undefined })],
      ['with the code of nobody', () => ({ code: 'nobody' })],
      ['with another state', () => ({ state: 'another' })],
      ['without a state', () => ({ state: undefined })],
      ['with an error', () => ({ error: 'access_denied' })],
      ['with an error of the server, which is its own word', () => ({ error: 'server_error' })],
      ['from another issuer (RFC 9207)', () => ({ iss: 'https://other.example' })],
      ['from nobody, where the issuer says who it is', () => ({ iss: undefined })],
    ])('A-18 refuses a browser that comes back %s', async (_, changed) => {
      const outcome = finished((parameters) => ({ parameters: { ...parameters, ...changed() } }));
      expect(await codeOf(outcome)).toBe('invalid_credentials');
    });

    it('refuses a code with the verifier of another sign-in', async () => {
      expect(await codeOf(finished(() => ({ codeVerifier: 'x'.repeat(43) })))).toBe('invalid_credentials');
    });

    it('B-16 refuses an ID token with the nonce of another sign-in, or none', async () => {
      for (const nonce of ['of-another-sign-in', undefined]) {
        stage.issuer.idTokenOverrides = { payload: { nonce } };
        expect(await codeOf(finished())).not.toBe('verified');
      }
    });

    it('looks at the signature of the ID token, also where it came from the provider itself', async () => {
      stage.issuer.idTokenOverrides = { key: rsaKey('first') };
      expect(await codeOf(finished())).toBe('invalid_credentials');
    });

    it.each([
      [{ aud: 'another-client' }, 'invalid_credentials'],
      [{ iss: 'https://other.example' }, 'invalid_credentials'],
    ])('refuses an ID token with %j for the code', async (payload, expected) => {
      stage.issuer.idTokenOverrides = { payload };
      expect(await codeOf(finished())).toBe(expected);
    });

    it('says that the definition is at fault when our secret is refused', async () => {
      const outcome = finished(() => ({}), { client_secret: 'another-secret' });
      expect(await codeOf(outcome)).toBe('identity_provider_misconfigured');
    });

    it.each([
      [500, 'identity_provider_unavailable'],
      [429, 'identity_provider_unavailable'],
      [302, 'identity_provider_misconfigured'],
      [404, 'identity_provider_misconfigured'],
      [200, 'identity_provider_unavailable'],
    ])(
      'C-22 takes status %d of the token endpoint for %s, and repeats nothing of it',
      async (status, expected) => {
        stage.issuer.script('/token', { status, body: '<p>stack trace of somebody-elses-token</p>' });
        const error: unknown = await finished().catch((thrown: unknown) => thrown);
        expect((error as { code: string }).code).toBe(expected);
        expect(String((error as Error).cause)).not.toContain('somebody-elses-token');
        // C-25: one trade for one code.
        expect(stage.issuer.countOf('/token')).toBe(1);
      },
    );

    it('C-26 builds addresses from what is configured, and leads nowhere that the provider has not', async () => {
      stage.issuer.document = { token_endpoint: undefined };
      expect(await codeOf(finished())).toBe('identity_provider_misconfigured');
    });
  });

  describe('of presets', () => {
    const hosted = (origin: string, document: object = {}) => {
      stage.issuer.document = {
        issuer: origin,
        ...Object.fromEntries(
          ['jwks', 'authorize', 'token', 'userinfo', 'introspect'].map((path) => [
            { jwks: 'jwks_uri', authorize: 'authorization_endpoint' }[path] ??
              `${path === 'introspect' ? 'introspection' : path}_endpoint`,
            `${new URL(origin).origin}/${path}`,
          ]),
        ),
        ...document,
      };
    };

    describe('Google', () => {
      const google = (options: object = {}) =>
        stage.preset({ preset: 'google', client_id: CLIENT.id, ...options });
      beforeEach(() => hosted('https://accounts.google.com'));

      it.each(['https://accounts.google.com', 'accounts.google.com'])('is known as %s', async (iss) => {
        const verifier = google();
        expect(await outcomeOf(verifier, withNonce(verifier, { payload: { iss } }))).toBe('verified');
        expect(stage.issuer.rerouted[0]).toBe('accounts.google.com/.well-known/openid-configuration');
      });

      it('lets in people of the hosted domains alone', async () => {
        const verifier = google({ hosted_domains: ['example.org'] });
        const of = (hd: unknown) =>
          outcomeOf(verifier, withNonce(verifier, { payload: { iss: 'https://accounts.google.com', hd } }));
        expect(await of('example.org')).toBe('verified');
        for (const hd of ['other.example', undefined, ['example.org'], 'example.org.evil.example']) {
          expect(await of(hd)).toBe('invalid_credentials');
        }
      });

      it('A-01 asks it for whom an access token was made', async () => {
        const verifier = google({ access_tokens: 'google_tokeninfo' });
        const of = (facts: object) => {
          const body = {
            aud: CLIENT.id,
            azp: CLIENT.id,
            sub: '1',
            exp: String(now() + 60),
            email_verified: 'true',
            ...facts,
          };
          stage.issuer.script('/tokeninfo', { status: 200, body });
          return outcomeOf(verifier, { access_token: 'ya29.a-token' });
        };
        expect(await of({ email: 'ada@example.org' })).toBe('verified');
        expect(await of({ aud: 'their-client' })).toBe('invalid_credentials');
        expect(await of({ azp: 'their-client' })).toBe('invalid_credentials');
        expect(await of({ exp: String(now() - 1) })).toBe('invalid_credentials');
        expect(await of({ aud: undefined })).toBe('identity_provider_unavailable');
        stage.issuer.script('/tokeninfo', { status: 400, body: { error: 'invalid_token' } });
        expect(await outcomeOf(verifier, { access_token: 'ya29.a-token' })).toBe('invalid_credentials');
        expect(stage.issuer.rerouted).toContain('oauth2.googleapis.com/tokeninfo');
        expect(stage.issuer.authorizations).toContain('Bearer ya29.a-token');
      });
    });

    describe('Microsoft', () => {
      const [one, two, other] = ['1', '2', '3'].map(
        (digit) => `${digit.repeat(8)}-1111-1111-1111-111111111111`,
      );
      const nameOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
      const of = (tenants: (string | undefined)[], iss: string, tid: unknown) => {
        const verifier = stage.preset({ preset: 'microsoft', client_id: CLIENT.id, tenants });
        return outcomeOf(verifier, withNonce(verifier, { payload: { iss, tid } }));
      };

      it('A-04 lets in people of the tenants that are listed, each by the issuer of its own tenant', async () => {
        hosted(nameOf('{tenantid}'));
        expect(await of([one, two], nameOf(one!), one)).toBe('verified');
        expect(await of([one, two], nameOf(two!), two)).toBe('verified');
        expect(await of([one, two], nameOf(other!), other)).toBe('invalid_credentials');
        expect(await of([one, two], nameOf(one!), two)).toBe('invalid_credentials');
        expect(await of([one, two], nameOf(one!), undefined)).toBe('invalid_credentials');
        expect(await of([one, two], nameOf('{tenantid}'), one)).toBe('invalid_credentials');
        expect(stage.issuer.rerouted[0]).toContain('/organizations/v2.0/');
      });

      it.each([
        ['of one of them', 'verified', () => ({ iss: nameOf(two!), tid: two })],
        ['of another one', 'invalid_credentials', () => ({ iss: nameOf(other!), tid: other })],
        ['of two at once', 'invalid_credentials', () => ({ iss: nameOf(one!), tid: two })],
      ])('A-04 lets in by way of a browser people %s: %s', async (_, expected, payload) => {
        hosted(nameOf('{tenantid}'), { authorization_response_iss_parameter_supported: undefined });
        const options = { preset: 'microsoft', client_id: CLIENT.id, client_secret: CLIENT.secret };
        const verifier = stage.preset({ ...options, tenants: [one, two] });
        const leg = {
          callbackUrl: CALLBACK,
          state: 's'.repeat(43),
          nonce: 'n'.repeat(43),
          codeVerifier: 'v'.repeat(43),
          signal: AbortSignal.timeout(5000),
        };
        const { url, memory } = await verifier.startRedirect(leg);
        stage.issuer.idTokenOverrides = { payload: payload() };
        const { iss: _iss, ...parameters } = stage.issuer.consent(url, 'ada');
        const outcome = await verifier.finishRedirect({ ...leg, parameters, memory }).then(
          () => 'verified',
          (error: { code?: string }) => error.code,
        );
        expect(outcome).toBe(expected);
      });

      it('asks the one tenant by itself', async () => {
        hosted(nameOf(one!));
        expect(await of([one], nameOf(one!), one)).toBe('verified');
        expect(await of([one], nameOf(two!), two)).toBe('invalid_credentials');
        expect(stage.issuer.rerouted[0]).toContain(`/${one}/v2.0/`);
      });
    });

    describe('Apple', () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const apple = {
        team_id: 'TEAM123456',
        key_id: 'KEY1234567',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
      const verifierOf = () => stage.preset({ preset: 'apple', client_id: CLIENT.id, apple });
      beforeEach(() =>
        hosted('https://appleid.apple.com', { authorization_response_iss_parameter_supported: undefined }),
      );

      it.each([
        ['true', true],
        [true, true],
        ['false', false],
        [undefined, false],
      ])('D-02 writes %j for what is verified: %s', async (email_verified, expected) => {
        const verifier = verifierOf();
        const payload = { iss: 'https://appleid.apple.com', email_verified };
        const { email } = await identity(verifier, withNonce(verifier, { payload }));
        expect(email?.verified).toBe(expected);
      });

      it('gets a client secret that was made for it a moment ago', async () => {
        const verifier = verifierOf();
        const leg = {
          callbackUrl: CALLBACK,
          state: 's'.repeat(43),
          nonce: 'n'.repeat(43),
          codeVerifier: 'v'.repeat(43),
          signal: AbortSignal.timeout(5000),
        };
        const { url } = await verifier.startRedirect(leg);
        expect(url.origin).toBe('https://appleid.apple.com');
        expect(url.searchParams.has('scope')).toBe(false);
        await verifier
          .finishRedirect({ ...leg, parameters: { code: 'a-code', state: leg.state }, memory: null })
          .catch(() => undefined);
        const [header = '', claims = '', signature = ''] =
          stage.issuer.forms[0]!.form.get('client_secret')!.split('.');
        const isSigned = verify(
          'sha256',
          Buffer.from(`${header}.${claims}`),
          { key: publicKey, dsaEncoding: 'ieee-p1363' },
          Buffer.from(signature, 'base64url'),
        );
        expect(isSigned).toBe(true);
        expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toEqual({
          iss: apple.team_id,
          sub: CLIENT.id,
          aud: 'https://appleid.apple.com',
          iat: now(),
          exp: now() + 300,
        });
      });
    });

    it('A-05 takes Facebook Limited Login by both of its names, and sends no browser there', async () => {
      hosted('https://www.facebook.com', { token_endpoint: undefined });
      const verifier = stage.preset({ preset: 'facebook_limited_login', client_id: CLIENT.id });
      for (const iss of ['https://www.facebook.com', 'https://limited.facebook.com']) {
        expect(await outcomeOf(verifier, withNonce(verifier, { payload: { iss } }))).toBe('verified');
      }
      const payload = { iss: 'https://facebook.com' };
      expect(await outcomeOf(verifier, withNonce(verifier, { payload }))).toBe('invalid_credentials');
      await expect(verifier.startRedirect({} as RedirectCallback)).rejects.toMatchObject({
        code: 'unknown_identity_provider',
      });
    });
  });
});
