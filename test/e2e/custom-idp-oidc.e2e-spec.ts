import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { definitionSchema } from '../../src/identity-providers/provider-definition.js';
import { IdentityProvidersService } from '../../src/identity-providers/identity-providers.service.js';
import type { Begun } from '../support/api-client.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { OidcPeer, PEER_RESOURCE, type PeerClient } from '../support/oidc-peer/oidc-peer.js';
import { sendRaw } from '../support/raw-http.js';
import { TestApp } from '../support/test-app.js';

/** Processes of their own, and people who fill in forms. */
jest.setTimeout(60_000);

const NATIVE: PeerClient = { client_id: 'native-app', redirect_uris: ['http://127.0.0.1:7777/back'] };
const BROKER: PeerClient = {
  client_id: 'the-broker',
  client_secret: 'the-secret-of-the-broker',
  redirect_uris: ['http://127.0.0.1:8080/v1/sign-in/callback'],
};
const STRANGER: PeerClient = { client_id: 'an-app-of-others', redirect_uris: ['http://127.0.0.1:7778/back'] };

describeOnEachDatabase('a partner with an OpenID provider', (kind) => {
  let peer: OidcPeer;
  let otherPeer: OidcPeer;
  let server: TestApp;
  let application: Application;

  beforeAll(async () => {
    [peer, otherPeer] = await Promise.all([
      OidcPeer.start([NATIVE, BROKER, STRANGER]),
      OidcPeer.start([NATIVE]),
    ]);
  });
  beforeEach(async () => {
    const env = { OUTBOUND_ALLOW: '127.0.0.1', PUBLIC_URL: 'http://127.0.0.1:8080' };
    server = await TestApp.start(kind, { env });
    // The peer has the system's clock.
    server.clock.advance({ milliseconds: Date.now() - server.clock.now() });
    application = await server.createApplication({ redirect_uris: ['https://app.example/back'] });
  });
  afterEach(() => server.stop());
  afterAll(async () => {
    await peer?.stop();
    await otherPeer?.stop();
  });

  const addProvider = (providerKind: string, options: object, slug = 'partner') =>
    server.app
      .get(IdentityProvidersService, { strict: false })
      .create(application.id, definitionSchema.parse({ kind: providerKind, slug, options }));
  const oidc = (options: object = {}) =>
    addProvider('oidc', {
      issuer: peer.issuer,
      client_id: BROKER.client_id,
      client_secret: BROKER.client_secret,
      client_ids: [NATIVE.client_id],
      ...options,
    });
  const begin = (credential: object) =>
    server.api.send<Begun & { code?: string }>('POST', '/v1/sessions', {
      as: application,
      body: { provider: 'partner', credential },
    });
  const codeOf = async (answer: ReturnType<typeof begin>) => {
    const { status, body } = await answer;
    return status < 300 ? status : body.code;
  };
  const nonce = async () => {
    const answer = await server.api.send<{ nonce: string; expires_at: string }>(
      'POST',
      '/v1/sign-in/partner/nonces',
      { as: application },
    );
    expect(answer.status).toBe(201);
    return answer.body.nonce;
  };

  it('signs people in with an ID token that an app got with a nonce of ours, once', async () => {
    await oidc();
    const { id_token } = await peer.signIn('ada', { client: NATIVE, nonce: await nonce() });
    const first = await begin({ id_token });
    expect(first.status).toBe(201);
    expect(first.body.session).toMatchObject({ kind: 'user', provider: 'partner' });
    expect(first.body.user).toMatchObject({ guest: false, full_name: 'Name of ada' });
    expect(await codeOf(begin({ id_token }))).toBe('invalid_credentials');
    const again = await peer.signIn('ada', { client: NATIVE, nonce: await nonce() });
    expect((await begin({ id_token: again.id_token })).body.user!.id).toBe(first.body.user!.id);
    const other = await peer.signIn('grace', { client: NATIVE, nonce: await nonce() });
    expect((await begin({ id_token: other.id_token })).body.user!.id).not.toBe(first.body.user!.id);
  });

  it('B-16 takes no ID token with a nonce of somebody else, or without one', async () => {
    await oidc();
    for (const given of ['of-the-app-itself', undefined]) {
      const { id_token } = await peer.signIn('ada', {
        client: NATIVE,
        ...(given !== undefined && { nonce: given }),
      });
      expect(await codeOf(begin({ id_token }))).toBe('invalid_credentials');
    }
  });

  it('gives nonces to sessions and clients, for providers that have a use for them', async () => {
    await oidc();
    const { token } = await server.api.applicationSession(application);
    const path = '/v1/sign-in/partner/nonces';
    const answers = [
      await server.api.send('POST', path, { as: token }),
      await server.api.send('POST', path),
      await server.api.send('POST', '/v1/sign-in/nobody/nonces', { as: application }),
    ];
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      [201, undefined],
      [401, 'authentication_required'],
      [404, 'unknown_identity_provider'],
    ]);
    const { nonce: issued, expires_at } = answers[0]!.body as { nonce: string; expires_at: string };
    expect(issued).toMatch(/^[A-Za-z0-9._-]{40,128}$/);
    expect(Date.parse(expires_at) - server.clock.now()).toBeGreaterThan(590_000);
  });

  it('B-08 goes on after the partner has changed its keys, and takes the old ones not any more', async () => {
    await oidc();
    const sign = async () => (await peer.signIn('ada', { client: NATIVE, nonce: await nonce() })).id_token;
    expect(await codeOf(begin({ id_token: await sign() }))).toBe(201);
    const old = await sign();
    await peer.rotateKeys();
    server.clock.advance({ minutes: 5 });
    expect(await codeOf(begin({ id_token: await sign() }))).toBe(201);
    expect(await codeOf(begin({ id_token: old }))).toBe('invalid_credentials');
  });

  it('refuses ID tokens of another issuer, for another client, too late and too early', async () => {
    await oidc();
    const of = async (from: OidcPeer, client: PeerClient) =>
      (await from.signIn('ada', { client, nonce: await nonce() })).id_token;
    expect(await codeOf(begin({ id_token: await of(otherPeer, NATIVE) }))).toBe('invalid_credentials');
    expect(await codeOf(begin({ id_token: await of(peer, STRANGER) }))).toBe('invalid_credentials');
    const [late, early] = [await of(peer, NATIVE), await of(peer, NATIVE)];
    server.clock.advance({ minutes: -2 });
    expect(await codeOf(begin({ id_token: early }))).toBe('invalid_credentials');
    server.clock.advance({ minutes: 70 });
    expect(await codeOf(begin({ id_token: late }))).toBe('invalid_credentials');
  });

  it('signs people in with an access token that was made for us, by introspection and userinfo', async () => {
    await oidc({ access_tokens: 'introspection', userinfo: true });
    const { access_token } = await peer.signIn('ada', { client: BROKER });
    const { status, body } = await begin({ access_token });
    expect([status, body.user!['full_name']]).toEqual([201, 'Name of ada']);
    const theirs = await peer.signIn('ada', { client: STRANGER });
    expect(await codeOf(begin({ access_token: theirs.access_token }))).toBe('invalid_credentials');
    expect(await codeOf(begin({ access_token: 'nobody-has-this-token' }))).toBe('invalid_credentials');
  });

  it('signs people in with a JWT access token for our own API', async () => {
    await oidc({ access_tokens: 'jwt', access_token_audiences: [PEER_RESOURCE] });
    const { access_token, id_token } = await peer.signIn('ada', {
      client: NATIVE,
      resource: PEER_RESOURCE,
      nonce: await nonce(),
    });
    const { status, body } = await begin({ access_token });
    expect(status).toBe(201);
    expect((await begin({ id_token })).body.user!.id).toBe(body.user!.id);
    // neither is the other.
    expect(await codeOf(begin({ id_token: access_token }))).toBe('invalid_credentials');
    expect(await codeOf(begin({ access_token: id_token }))).toBe('invalid_credentials');
  });

  it('signs people in by the kind introspection', async () => {
    await addProvider('introspection', {
      url: `${peer.issuer}/token/introspection`,
      client_id: BROKER.client_id,
      client_secret: BROKER.client_secret,
      client_auth: 'post',
      client_ids: [BROKER.client_id],
    });
    const { access_token } = await peer.signIn('ada', { client: BROKER });
    expect(await codeOf(begin({ token: access_token }))).toBe(201);
    const theirs = await peer.signIn('ada', { client: STRANGER });
    expect(await codeOf(begin({ token: theirs.access_token }))).toBe('invalid_credentials');
  });

  it('signs people in by the kind jwt', async () => {
    await addProvider('jwt', {
      issuer: peer.issuer,
      audience: NATIVE.client_id,
      algorithms: ['RS256'],
      jwks_url: `${peer.issuer}/jwks`,
      max_age_seconds: 600,
      mapping: { country: 'AT', 'attributes.zone': '#{zoneinfo}' },
    });
    const { id_token } = await peer.signIn('ada', { client: NATIVE });
    expect(await codeOf(begin({ token: id_token }))).toBe(201);
    const theirs = await peer.signIn('ada', { client: STRANGER });
    expect(await codeOf(begin({ token: theirs.id_token }))).toBe('invalid_credentials');
  });

  it('A-17 takes none of our tokens for theirs, and none of theirs for ours', async () => {
    await oidc({ access_tokens: 'introspection' });
    const { token } = await server.api.applicationSession(application);
    expect(await codeOf(begin({ id_token: token }))).toBe('invalid_credentials');
    expect(await codeOf(begin({ access_token: token }))).toBe('invalid_credentials');
    const theirs = await peer.signIn('ada', { client: BROKER, nonce: await nonce() });
    for (const foreign of [theirs.id_token, theirs.access_token]) {
      const answer = await server.api.get('/v1/session', foreign);
      expect([answer.status, answer.body['code']]).toEqual([401, 'session_ended']);
    }
  });

  describe('watched by the test tool', () => {
    interface Rehearsed {
      readonly verdict: string;
      readonly exchanges: { purpose: string; response: { status: number } | null }[];
      readonly checks: { name: string; passed: boolean }[];
      readonly mapping: { target: string; verdict: string }[];
    }
    const rehearse = async (credential: object) => {
      const as = await server.createAdminKey('operator');
      const path = `/admin/v1/applications/${application.id}/providers/partner/test`;
      const { body, text } = await server.api.send<Rehearsed>('POST', path, { as, body: { credential } });
      for (const secret of [...Object.values(credential as Record<string, string>), BROKER.client_secret!]) {
        expect(text).not.toContain(secret);
      }
      return {
        verdict: body.verdict,
        exchanges: body.exchanges.map(({ purpose, response }) => [purpose, response?.status]),
        checks: body.checks.map(({ name, passed }) => (passed ? name : `not ${name}`)),
        mapped: body.mapping.filter(({ verdict }) => verdict === 'taken').map(({ target }) => target),
      };
    };

    it('shows each step with an ID token, and spends no nonce', async () => {
      await oidc();
      const { id_token } = await peer.signIn('ada', { client: NATIVE, nonce: await nonce() });
      const { checks, ...report } = await rehearse({ id_token });
      expect(report).toEqual({
        verdict: 'accepted',
        exchanges: [
          ['discovery', 200],
          ['keys', 200],
        ],
        mapped: ['uid', 'email', 'full_name', 'locale', 'timezone'],
      });
      expect(checks.join(' ')).toBe('issuer alg typ iss aud exp iat kid signature nonce');
      expect(await codeOf(begin({ id_token }))).toBe(201);
      const theirs = await peer.signIn('ada', { client: STRANGER });
      const refused = await rehearse({ id_token: theirs.id_token });
      expect([refused.verdict, refused.checks.at(-1)]).toEqual(['refused', 'not aud']);
    });

    it('shows each step with an access token', async () => {
      await oidc({ access_tokens: 'introspection', userinfo: true });
      const { access_token } = await peer.signIn('ada', { client: BROKER });
      const report = await rehearse({ access_token });
      expect(report.exchanges).toEqual([
        ['discovery', 200],
        ['introspection', 200],
        ['userinfo', 200],
      ]);
      expect(report.checks.join(' ')).toBe('issuer active client_id sub exp sub');
    });
  });

  it('C-26 sends browsers back to where the configuration says, whatever a request says its host is', async () => {
    await oidc();
    const body = { redirect_uri: 'https://app.example/back', code_challenge: 'c'.repeat(43) };
    const basic = Buffer.from(`${application.authKey}:${application.authSecret}`).toString('base64');
    const answer = await sendRaw(server.url, {
      method: 'POST',
      target: '/v1/sign-in/partner',
      headers: [
        ['Host', 'evil.example'],
        ['X-Forwarded-Host', 'evil.example'],
        ['X-Forwarded-Proto', 'https'],
        ['Forwarded', 'host=evil.example'],
        ['Content-Type', 'application/json'],
        ['Authorization', `Basic ${basic}`],
      ],
      body: JSON.stringify(body),
    });
    const { authorization_url } = JSON.parse(answer.body) as { authorization_url: string };
    const url = new URL(authorization_url);
    expect([url.origin, url.searchParams.get('redirect_uri')]).toEqual([
      peer.issuer,
      'http://127.0.0.1:8080/v1/sign-in/callback',
    ]);
    expect(answer.text).not.toContain('evil.example');
  });
});
