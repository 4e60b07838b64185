import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import type { Answer, Begun } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { Lab, LAB_KEY, type LinkAnswer } from '../support/lab/lab.js';
import { labAssertion } from '../support/lab/lab-kind.js';

const REDIRECT_URI = 'https://app.example/signed-in';
const PUBLIC_URL = 'https://id.example';

describeOnEachDatabase('signing in by way of a browser', (kind) => {
  let lab: Lab;
  let rows: DatabaseRows;
  let application: Application;

  beforeAll(async () => {
    lab = await Lab.start(kind, { env: { PUBLIC_URL } });
    rows = new DatabaseRows(lab.app);
  });
  afterAll(() => lab.stop());
  beforeEach(async () => {
    application = await lab.app.createApplication({
      redirect_uris: [REDIRECT_URI, 'com.example.app:/cb?from=us'],
      public_clients: true,
    });
    await lab.addProvider(application);
  });

  const codeOf = ({ status, body }: Answer<unknown>) =>
    `${status} ${String((body as Record<string, unknown> | undefined)?.['code'])}`;

  function pkce() {
    const verifier = randomBytes(32).toString('base64url');
    return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
  }

  function start(as: string | Application | undefined, body: Record<string, unknown>, slug = 'lab') {
    return lab.api.send<{ authorization_url: string }>('POST', `/v1/sign-in/${slug}`, {
      ...(as !== undefined && { as }),
      body: { redirect_uri: REDIRECT_URI, ...body },
    });
  }

  /** The provider sends the browser back; the answer is followed nowhere. */
  async function comeBack(parameters: Record<string, string>, raw = '') {
    const query = new URLSearchParams(parameters);
    const response = await fetch(`${lab.api.url}/v1/sign-in/callback?${query.toString()}${raw}`, {
      redirect: 'manual',
    });
    const location = response.headers.get('location');
    return { status: response.status, url: location ? new URL(location) : null, response };
  }

  const stateOf = ({ body }: Answer<{ authorization_url: string }>) =>
    new URL(body.authorization_url).searchParams.get('state')!;
  const assertion = (sub: string) => labAssertion(LAB_KEY, { sub });

  /** The whole way up to the app's code. */
  async function codeFor(sub: string, challenge: string, as: string | Application = application) {
    const started = await start(as, { code_challenge: challenge });
    const { url } = await comeBack({ state: stateOf(started), assertion: assertion(sub) });
    return url!.searchParams.get('code')!;
  }

  const trade = (code: string, verifier: string, as: Application = application) =>
    lab.api.send<Begun>('POST', '/v1/sessions', { as, body: { code, code_verifier: verifier } });

  it('ends with a session, and nothing but a one-time code in an address', async () => {
    const { verifier, challenge } = pkce();
    const started = await start(application, { code_challenge: challenge, state: 'of the app' });
    expect(started.status).toBe(200);
    const authorization = new URL(started.body.authorization_url);
    expect(authorization.searchParams.get('redirect_uri')).toBe(`${PUBLIC_URL}/v1/sign-in/callback`);
    const back = await comeBack({ state: stateOf(started), assertion: assertion('ada') });
    expect(back.status).toBe(303);
    expect(back.response.headers.get('cache-control')).toBe('no-store');
    expect(back.response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(back.url!.origin + back.url!.pathname).toBe(REDIRECT_URI);
    expect(Object.fromEntries(back.url!.searchParams)).toEqual({
      code: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      state: 'of the app',
    });
    // What the provider appended to our address stays behind: an empty fragment is one.
    expect(back.response.headers.get('location')).toMatch(/#$/);
    const traded = await trade(back.url!.searchParams.get('code')!, verifier);
    expect(traded.status).toBe(201);
    expect(traded.body.session).toMatchObject({ kind: 'user', provider: 'lab' });
    const direct = await lab.signedIn(application, { sub: 'ada' });
    expect(direct.user.id).toBe(traded.body.user!.id);
  });

  it('upgrades the session that sent the browser off, and that one alone', async () => {
    const { verifier, challenge } = pkce();
    const mine = await lab.api.applicationSession(application);
    const other = await lab.api.applicationSession(application);
    const upgrade = (token: string, code: string) =>
      lab.api.send<Begun>('PUT', '/v1/session/user', { as: token, body: { code, code_verifier: verifier } });

    expect(codeOf(await upgrade(other.token, await codeFor('ada', challenge, mine.token)))).toBe(
      '401 invalid_credentials',
    );
    expect(codeOf(await trade(await codeFor('ada', challenge, mine.token), verifier))).toBe(
      '401 invalid_credentials',
    );
    const upgraded = await upgrade(mine.token, await codeFor('ada', challenge, mine.token));
    expect(upgraded.body.session).toMatchObject({ id: mine.id, kind: 'user' });
  });

  it('D-07 D-11 links the identity that was proved to the user who sent the browser off, and to no other', async () => {
    const { verifier, challenge } = pkce();
    const ada = await lab.api.user(application, 'ada');
    const eve = await lab.api.user(application, 'eve');
    const link = (token: string, code: string) =>
      lab.api.send<LinkAnswer>('POST', '/v1/users/me/identities', {
        as: token,
        body: { code, code_verifier: verifier },
      });
    const stolen = await codeFor('ada-at-lab', challenge, ada.session.token);
    expect(codeOf(await link(eve.session.token, stolen))).toBe('401 invalid_credentials');
    const linked = await link(ada.session.token, await codeFor('ada-at-lab', challenge, ada.session.token));
    expect(linked.status).toBe(201);
    expect(linked.body.identity.subject).toBe('ada-at-lab');
  });

  it.each([
    'https://app.example/signed-in/',
    'https://app.example/signed-in?x=1',
    'https://app.example/Signed-in',
    'https://app.example.evil.example/signed-in',
    'https://app.example/signed-in#',
    'http://app.example/signed-in',
    'com.example.app:/cb',
  ])('goes nowhere but to a registered redirect URI: not to %s', async (redirect_uri) => {
    const { challenge } = pkce();
    const answer = await start(application, { code_challenge: challenge, redirect_uri });
    expect(codeOf(answer)).toBe('422 validation_failed');
    expect(answer.text).not.toContain('evil');
  });

  it('takes apps with a scheme of their own, and keeps the query of their redirect URI', async () => {
    const { challenge } = pkce();
    const redirect_uri = 'com.example.app:/cb?from=us';
    const started = await start(application, { code_challenge: challenge, redirect_uri });
    const { url } = await comeBack({ state: stateOf(started), assertion: assertion('ada') });
    expect(url!.protocol).toBe('com.example.app:');
    expect(url!.searchParams.get('from')).toBe('us');
    expect(url!.searchParams.has('code')).toBe(true);
  });

  it('can be begun by a public client, and by nobody without keys', async () => {
    const { challenge } = pkce();
    const keys = { application_id: application.id, auth_key: application.authKey };
    expect((await start(undefined, { code_challenge: challenge, ...keys })).status).toBe(200);
    expect(codeOf(await start(undefined, { code_challenge: challenge }))).toBe('401 authentication_required');
    expect(codeOf(await start('os_unknown', { code_challenge: challenge }))).toBe('401 session_ended');
  });

  it('needs a code challenge of S256', async () => {
    for (const code_challenge of [undefined, '', 'short', 'x'.repeat(44), 'x'.repeat(42) + '=']) {
      expect(codeOf(await start(application, { code_challenge }))).toBe('422 validation_failed');
    }
  });

  describe('a one-time code', () => {
    it('is worth nothing without its verifier, and nothing after a wrong one', async () => {
      const { verifier, challenge } = pkce();
      const code = await codeFor('ada', challenge);
      expect(codeOf(await trade(code, pkce().verifier))).toBe('401 invalid_credentials');
      expect(codeOf(await trade(code, verifier))).toBe('401 invalid_credentials');
    });

    it('is traded once, also by many at once', async () => {
      const { verifier, challenge } = pkce();
      const code = await codeFor('ada', challenge);
      const answers = await Promise.all(Array.from({ length: 10 }, () => trade(code, verifier)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array<number>(9).fill(401)]);
    });

    it("is its application's own", async () => {
      const { verifier, challenge } = pkce();
      const other = await lab.app.createApplication();
      await lab.addProvider(other);
      expect(codeOf(await trade(await codeFor('ada', challenge), verifier, other))).toBe(
        '401 invalid_credentials',
      );
    });

    it('lives for a minute', async () => {
      const { verifier, challenge } = pkce();
      const code = await codeFor('ada', challenge);
      lab.app.clock.advance({ seconds: 61 });
      expect(codeOf(await trade(code, verifier))).toBe('401 invalid_credentials');
    });

    it('A-20 ends with its provider', async () => {
      const { verifier, challenge } = pkce();
      const code = await codeFor('ada', challenge);
      await lab.providers.setEnabled(application.id, 'lab', false);
      expect(codeOf(await trade(code, verifier))).toBe('404 unknown_identity_provider');
    });

    it('D-18 does not outlive its provider under a new one of the same name', async () => {
      const { verifier, challenge } = pkce();
      const code = await codeFor('ada', challenge);
      await lab.providers.remove(application.id, 'lab');
      await lab.addProvider(application);
      expect(codeOf(await trade(code, verifier))).toBe('401 invalid_credentials');
    });

    it('A-18 is no state, no token and no credential, and none of those is a code', async () => {
      const { verifier, challenge } = pkce();
      const started = await start(application, { code_challenge: challenge });
      const state = stateOf(started);
      expect(codeOf(await trade(state, verifier))).toBe('401 invalid_credentials');
      const code = await codeFor('ada', challenge);
      expect((await comeBack({ state: code, assertion: assertion('ada') })).status).toBe(400);
      expect(codeOf(await lab.api.get('/v1/session', code))).toBe('401 session_ended');
      expect(codeOf(await lab.api.refresh(code))).toBe('401 session_ended');
      const { session } = await lab.signedIn(application, { sub: 'ada' });
      expect(codeOf(await trade(session.token, verifier))).toBe('401 invalid_credentials');
      expect((await trade(code, verifier)).status).toBe(201);
    });

    it('goes with nothing else', async () => {
      const { verifier, challenge } = pkce();
      const code = await codeFor('ada', challenge);
      for (const body of [
        { code },
        { code_verifier: verifier },
        { code, code_verifier: verifier, provider: 'lab' },
        { code, code_verifier: verifier, credential: {} },
        { code: { $ne: '' }, code_verifier: verifier },
      ]) {
        const answer = await lab.api.send('POST', '/v1/sessions', { as: application, body });
        expect(codeOf(answer)).toBe('422 validation_failed');
      }
      expect((await trade(code, verifier)).status).toBe(201);
    });
  });

  describe('the callback', () => {
    it('tells the app that the provider refused, and no more', async () => {
      const { challenge } = pkce();
      for (const [parameters, error] of [
        [{ error: 'access_denied', error_description: 'upstream <b>text</b>' }, 'invalid_credentials'],
        [{ assertion: `${assertion('ada')}x` }, 'invalid_credentials'],
      ] as const) {
        const started = await start(application, { code_challenge: challenge, state: 's' });
        const { status, url } = await comeBack({ state: stateOf(started), ...parameters });
        expect(status).toBe(303);
        expect(Object.fromEntries(url!.searchParams)).toEqual({ error, state: 's' });
      }
    });

    it('is answered once', async () => {
      const { challenge } = pkce();
      const state = stateOf(await start(application, { code_challenge: challenge }));
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => comeBack({ state, assertion: assertion('ada') })),
      );
      expect(answers.map(({ status }) => status).toSorted()).toEqual([303, ...Array<number>(5).fill(400)]);
    });

    it('shows people whom nobody expects a page, and sends them nowhere', async () => {
      const { challenge } = pkce();
      const state = stateOf(await start(application, { code_challenge: challenge }));
      lab.app.clock.advance({ minutes: 11 });
      for (const query of ['', '?state=', '?state=unknown', `?state=${state}`, '?oauth_token=x&denied=y']) {
        const response = await fetch(`${lab.api.url}/v1/sign-in/callback${query}`, { redirect: 'manual' });
        expect(response.status).toBe(400);
        expect(response.headers.get('location')).toBeNull();
        expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(await response.text()).toContain('<html lang="en">');
      }
    });

    it('is not used up by a look at the address', async () => {
      const { challenge } = pkce();
      const state = stateOf(await start(application, { code_challenge: challenge }));
      const query = new URLSearchParams({ state, assertion: assertion('ada') });
      const look = await fetch(`${lab.api.url}/v1/sign-in/callback?${query.toString()}`, {
        method: 'HEAD',
        redirect: 'manual',
      });
      expect(look.status).toBe(400);
      expect((await comeBack({ state, assertion: assertion('ada') })).status).toBe(303);
    });

    it('takes no parameter that came twice', async () => {
      const { challenge } = pkce();
      const state = stateOf(await start(application, { code_challenge: challenge }));
      const { status } = await comeBack({ state, assertion: assertion('ada') }, '&state=another');
      expect(status).toBe(400);
    });
  });

  it('keeps no state, code or identity readable in the database', async () => {
    const { challenge } = pkce();
    const started = await start(application, { code_challenge: challenge });
    const code = await codeFor('a-very-rare-subject', challenge);
    const dump = await rows.dump();
    for (const secret of [stateOf(started), code, 'a-very-rare-subject', 'remembered']) {
      expect(dump).not.toContain(secret);
    }
    expect(lab.app.log).not.toContain(code);
    expect(lab.app.log).not.toContain(stateOf(started));
  });

  it('leaves nothing behind when nobody comes back', async () => {
    const { challenge } = pkce();
    await start(application, { code_challenge: challenge });
    lab.app.clock.advance({ minutes: 11 });
    await lab.runJob('purge-sign-ins');
    expect(await rows.run('SELECT state_hash FROM redirect_sign_ins')).toEqual([]);
  });
});
