import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import {
  FOREIGN_APP,
  OUR_APP,
  OUR_SECOND_APP,
  SECRETS,
  facebookStage,
} from '../../../test/support/facebook/facebook-stage.js';
import { graphErrors } from '../../../test/support/facebook/graph-errors.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { BrokerError } from '../../errors/broker-error.js';

describe('FacebookVerifier', () => {
  const clock = new ManualClock();
  let stage: Awaited<ReturnType<typeof facebookStage>>;
  beforeAll(async () => {
    stage = await facebookStage(clock);
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    await stage.graph.comeBack();
    stage.graph.calls.length = 0;
    stage.graph.requests.length = 0;
  });

  const signal = () => AbortSignal.timeout(10_000);
  const verify = (access_token: string, verifier = stage.verifier) =>
    verifier.verify({ access_token }, { signal: signal() });
  const codeOf = (outcome: Promise<unknown>) =>
    outcome.then(
      () => 'verified',
      (error: unknown) => (error instanceof BrokerError ? error.code : inspect(error)),
    );
  const refusedWith = (path: string, { status = 400, ...error }: { status?: number }) =>
    stage.graph.script(path, { status, body: { error } });

  it('gives what Facebook says of the person, with an address that nobody verified', async () => {
    const identity = await verify(stage.graph.userToken(OUR_APP, 'ada'));
    expect(identity).toEqual({
      provider: { id: 1, applicationId: 1, kind: 'facebook', slug: 'facebook', version: 1 },
      subject: stage.graph.userId(OUR_APP, 'ada'),
      email: { address: 'ada@example.org', verified: false },
      profile: { name: 'ada', picture: 'https://platform-lookaside.example/ada.jpg' },
      amr: [],
      authTime: new Date(clock.now()),
    });
  });

  it('leaves out what cannot be shown, and signs in all the same', async () => {
    const id = stage.graph.userId(OUR_APP, 'ada');
    const body = { id, name: 7, email: 'no address', picture: { data: { url: 'javascript:alert(1)' } } };
    stage.graph.script('/me', { status: 200, body });
    const { email, profile } = await verify(stage.graph.userToken(OUR_APP, 'ada'));
    expect({ email, profile }).toEqual({ email: undefined, profile: {} });
  });

  it('takes the grey silhouette for no picture', async () => {
    const id = stage.graph.userId(OUR_APP, 'ada');
    const picture = { data: { url: 'https://platform-lookaside.example/none.jpg', is_silhouette: true } };
    stage.graph.script('/me', { status: 200, body: { id, picture } });
    expect((await verify(stage.graph.userToken(OUR_APP, 'ada'))).profile).toEqual({});
  });

  it('sends the secrets in headers, and asks each app only until one knows the token', async () => {
    await verify(stage.graph.userToken(OUR_APP, 'ada'));
    expect(stage.graph.calls).toEqual(['/debug_token', '/me']);
    expect(stage.graph.requests.map(({ url }) => url).join()).not.toContain(SECRETS[OUR_APP]);
    stage.graph.calls.length = 0;
    await verify(stage.graph.userToken(OUR_SECOND_APP, 'ada'));
    expect(stage.graph.calls).toEqual(['/debug_token', '/debug_token', '/me']);
  });

  it('asks the next app wherever Graph says that the token is not of this one', async () => {
    stage.graph.refusesOtherAppsInData = true;
    expect(await codeOf(verify(stage.graph.userToken(OUR_SECOND_APP, 'ada')))).toBe('verified');
    expect(await codeOf(verify(stage.graph.userToken(FOREIGN_APP, 'ada')))).toBe('invalid_credentials');
  });

  it('keeps a token from changing the address it is sent in', async () => {
    await codeOf(verify('EAA&input_token=x#/../me?a=%00'));
    const [asked] = stage.graph.requests;
    expect(new URL(asked!.url).searchParams.getAll('input_token')).toEqual([
      'EAA&input_token=x#/../me?a=%00',
    ]);
    expect(asked!.path).toBe('/debug_token');
  });

  it.each([
    ['with a line break', 'EAA\r\nx'],
    ['with a space', 'EAA x'],
    ['of 8 kB', 'x'.repeat(8193)],
  ])('takes no access token %s', (_, access_token) => {
    expect(stage.verifier.credentialSchema.safeParse({ access_token }).success).toBe(false);
  });

  it('takes a token to the second it expires in', async () => {
    const token = stage.graph.userToken(OUR_APP, 'ada', { expiresInSeconds: 10 });
    clock.advance({ milliseconds: 9999 });
    const before = await codeOf(verify(token));
    clock.advance({ milliseconds: 1 });
    expect([before, await codeOf(verify(token))]).toEqual(['verified', 'invalid_credentials']);
  });

  it('does not leave it to Graph whether a token is expired', async () => {
    const now = clock.now() / 1000;
    const data = { app_id: OUR_APP, type: 'USER', is_valid: true, user_id: '1', expires_at: now };
    stage.graph.script('/debug_token', { status: 200, body: { data } });
    expect(await codeOf(verify('EAAtoken'))).toBe('invalid_credentials');
  });

  it.each([
    ['190, as when the person left the app', graphErrors.unreadableToken, 'invalid_credentials'],
    ['190 with a subcode', graphErrors.expired, 'invalid_credentials'],
    ['102', { ...graphErrors.expired, code: 102 }, 'invalid_credentials'],
    ['a wrong proof', graphErrors.proofInvalid, 'identity_provider_misconfigured'],
    ['101', graphErrors.unknownApp, 'identity_provider_misconfigured'],
    ['200, as for a blocked app', { ...graphErrors.expired, code: 200 }, 'identity_provider_misconfigured'],
    ['1', { ...graphErrors.throttled, code: 1 }, 'identity_provider_unavailable'],
    ['2', graphErrors.serviceDown, 'identity_provider_unavailable'],
    ['4', graphErrors.throttled, 'identity_provider_unavailable'],
    ['17', { ...graphErrors.throttled, code: 17 }, 'identity_provider_unavailable'],
    ['341', { ...graphErrors.throttled, code: 341 }, 'identity_provider_unavailable'],
    ['190 with status 500', { ...graphErrors.expired, status: 500 }, 'identity_provider_unavailable'],
    ['190 with status 429', { ...graphErrors.expired, status: 429 }, 'identity_provider_unavailable'],
  ])('judges a refusal of the profile by %s', async (_, error, expected) => {
    const token = stage.graph.userToken(OUR_APP, 'ada');
    refusedWith('/me', error);
    expect(await codeOf(verify(token))).toBe(expected);
  });

  it.each([
    ['a signature of ours that is wrong', graphErrors.badSignature, 'identity_provider_misconfigured'],
    ['an app of ours that is unknown', graphErrors.unknownApp, 'identity_provider_misconfigured'],
    ['a token of another app', graphErrors.otherApp, 'invalid_credentials'],
    ['a limit', graphErrors.throttled, 'identity_provider_unavailable'],
    ['a pause', graphErrors.serviceDown, 'identity_provider_unavailable'],
  ])('judges a refusal of debug_token for %s', async (_, error, expected) => {
    refusedWith('/debug_token', error);
    expect(await codeOf(verify('EAAtoken'))).toBe(expected);
  });

  it.each([
    ['HTML', '<html></html>'],
    ['a text', '"ok"'],
    ['a list', '[]'],
    ['null', 'null'],
    ['nothing', ''],
    ['an object that says nothing', '{}'],
    ['an object whose data is a list', '{"data":[]}'],
    ['the same member twice', `{"data":{"is_valid":false,"is_valid":true}}`],
    ['deep nesting', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['a byte order mark', '\ufeff{"data":{}}'],
  ])('blames Facebook for an answer of %s', async (_, body) => {
    stage.graph.script('/debug_token', { status: 200, body });
    expect(await codeOf(verify('EAAtoken'))).toBe('identity_provider_unavailable');
  });

  it('follows no redirect', async () => {
    const headers = { location: `${stage.graph.url}/v25.0/me` };
    stage.graph.script('/debug_token', { status: 302, body: '', headers });
    expect(await codeOf(verify('EAAtoken'))).toBe('identity_provider_unavailable');
    expect(stage.graph.calls).toEqual(['/debug_token']);
  });

  describe('with one app whose secret is no longer right', () => {
    const apps = {
      [OUR_APP]: { app_secret: 'this-secret-was-reset-long-ago' },
      [OUR_SECOND_APP]: { app_secret: SECRETS[OUR_SECOND_APP] },
    };

    it('signs in the people of the others', async () => {
      const token = stage.graph.userToken(OUR_SECOND_APP, 'ada');
      expect(await codeOf(verify(token, stage.verifierOf({ apps })))).toBe('verified');
    });

    it.each([OUR_APP, FOREIGN_APP])('blames the definition for a token of %s', async (app) => {
      const token = stage.graph.userToken(app, 'ada');
      expect(await codeOf(verify(token, stage.verifierOf({ apps })))).toBe('identity_provider_misconfigured');
    });
  });

  describe('sends a browser to the dialog', () => {
    const callbackUrl = new URL('https://broker.example/v1/sign-in/callback');
    const request = () => ({
      callbackUrl,
      state: 'a-state-of-ours',
      nonce: 'a-nonce',
      codeVerifier: 'v'.repeat(43),
      signal: signal(),
    });
    const press = async (url: URL, decision: string) => {
      const pressed = new URL(url);
      pressed.searchParams.set('decision', decision);
      const { headers } = await fetch(pressed, { redirect: 'manual', headers: { connection: 'close' } });
      return Object.fromEntries(new URL(headers.get('location')!).searchParams);
    };
    const begun = async (decision = 'continue', verifier = stage.verifier) => {
      const start = await verifier.startRedirect(request());
      const parameters = await press(start.url, decision);
      return { ...request(), parameters, memory: start.memory };
    };

    it('with our state, our callback and a challenge', async () => {
      const { url, state, memory } = await stage.verifier.startRedirect(request());
      expect(state).toBe('a-state-of-ours');
      expect(memory).toMatch(/^[\w-]{43}$/);
      expect(`${url.origin}${url.pathname}`).toBe(`${stage.graph.url}/v25.0/dialog/oauth`);
      expect(Object.fromEntries(url.searchParams)).toEqual({
        client_id: OUR_APP,
        response_type: 'code',
        redirect_uri: callbackUrl.href,
        scope: 'public_profile,email',
        state: 'a-state-of-ours',
        code_challenge: expect.stringMatching(/^[\w-]{43}$/),
        code_challenge_method: 'S256',
      });
      expect(url.href).not.toContain(memory);
      expect(stage.graph.calls).toEqual([]);
    });

    it('and signs in who comes back with a code', async () => {
      const identity = await stage.verifier.finishRedirect(await begun());
      expect(identity).toMatchObject({
        subject: stage.graph.userId(OUR_APP, 'ada'),
        email: { address: 'ada@example.org', verified: false },
        profile: { name: 'ada', picture: 'https://platform-lookaside.example/ada.jpg' },
      });
      expect(stage.graph.calls).toEqual(['/dialog/oauth', '/oauth/access_token', '/me', '/debug_token']);
    });

    it('and leaves neither token nor secret in an address', async () => {
      await stage.verifier.finishRedirect(await begun());
      const urls = stage.graph.requests.map(({ path, url }) => (path === '/debug_token' ? '' : url)).join();
      expect(urls).not.toMatch(/EAA|access_token=/);
      expect(urls).not.toContain(SECRETS[OUR_APP]);
    });

    it.each([
      ['declined', (back) => back, 'cancel'],
      ['has a code that was used', async (back) => (await stage.verifier.finishRedirect(back), back)],
      ['has a code of nobody', (back) => ({ ...back, parameters: { ...back.parameters, code: 'AQnobody' } })],
      ['has no code', ({ parameters: { state }, ...back }) => ({ ...back, parameters: { state: state! } })],
      ['has another state', (back) => ({ ...back, parameters: { ...back.parameters, state: 'other' } })],
      ['has no state', ({ parameters: { code }, ...back }) => ({ ...back, parameters: { code: code! } })],
      ['began elsewhere', (back) => ({ ...back, memory: 'w'.repeat(43) })],
      ['began nowhere', (back) => ({ ...back, memory: null })],
      ['comes back elsewhere', (back) => ({ ...back, callbackUrl: new URL('https://broker.example/x') })],
      [
        'says that Facebook failed',
        (back) => ({ ...back, parameters: { state: back.state, error: 'server_error' } }),
      ],
      ['brings an error code', (back) => ({ ...back, parameters: { state: back.state, error_code: '1' } })],
    ] as [string, (back: Back) => Back | Promise<Back>, string?][])(
      'and refuses who %s',
      async (_, change, decision = 'continue') => {
        const back = await change(await begun(decision));
        expect(await codeOf(stage.verifier.finishRedirect(back))).toBe('invalid_credentials');
      },
    );
    type Back = Awaited<ReturnType<typeof begun>>;

    it('and refuses a token that Facebook gives for another app', async () => {
      const back = await begun();
      const access_token = stage.graph.userToken(OUR_SECOND_APP, 'ada');
      stage.graph.script('/oauth/access_token', { status: 200, body: { access_token } });
      const id = stage.graph.userId(OUR_SECOND_APP, 'ada');
      stage.graph.script('/me', { status: 200, body: { id } });
      expect(await codeOf(stage.verifier.finishRedirect(back))).toBe('invalid_credentials');
    });

    it('and refuses a profile of somebody else', async () => {
      const back = await begun();
      stage.graph.script('/me', { status: 200, body: { id: stage.graph.userId(OUR_APP, 'bob') } });
      expect(await codeOf(stage.verifier.finishRedirect(back))).toBe('invalid_credentials');
    });

    it('and blames the definition when its secret is refused', async () => {
      const wrong = stage.verifierOf({
        apps: { [OUR_APP]: { app_secret: 'this-secret-was-reset-long-ago' } },
        redirect_app_id: undefined,
      });
      const outcome = wrong.finishRedirect(await begun('continue', wrong));
      expect(await codeOf(outcome)).toBe('identity_provider_misconfigured');
    });

    it.each(['/oauth/access_token', '/me'])('and survives whatever %s answers', async (path) => {
      for (const body of [
        'null',
        '',
        '[]',
        '7',
        '{}',
        '<html>',
        '{"access_token":{}}',
        '{"access_token":null}',
      ]) {
        const back = await begun();
        stage.graph.script(path, { status: 200, body });
        const code = await codeOf(stage.verifier.finishRedirect(back));
        expect({ body, code }).toEqual({
          body,
          code: expect.stringMatching(/^(identity_provider_unavailable|invalid_credentials)$/),
        });
        await stage.graph.comeBack();
      }
    });

    it('and holds nothing of what Facebook or the browser said in an error', async () => {
      const back = await begun();
      stage.graph.script('/oauth/access_token', {
        status: 400,
        body: { error: { code: 1, message: 'the text of a stranger', type: 'OAuthException' } },
      });
      const error: unknown = await stage.verifier.finishRedirect(back).catch((thrown: unknown) => thrown);
      const shown = inspect(error, { depth: 12, showHidden: true });
      for (const secret of [
        'the text of a stranger',
        back.parameters['code']!,
        back.memory!,
        SECRETS[OUR_APP]!,
      ]) {
        expect(shown).not.toContain(secret);
      }
    });

    it('and stops waiting when the signal aborts', async () => {
      const back = await begun();
      stage.graph.stall();
      const controller = new AbortController();
      const outcome = codeOf(stage.verifier.finishRedirect({ ...back, signal: controller.signal }));
      controller.abort();
      expect(await outcome).toBe('identity_provider_unavailable');
    });

    it('and blames Facebook when it is down', async () => {
      const back = await begun();
      await stage.graph.goDown();
      expect(await codeOf(stage.verifier.finishRedirect(back))).toBe('identity_provider_unavailable');
    });
  });
});
