import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { Strategy } from 'passport-twitter';
import { BrokerError } from '../../errors/broker-error.js';
import type {
  IdentityVerifier,
  RedirectStart,
  RedirectsToProvider,
} from '../../identity/identity-verifier.js';
import {
  CALLBACK_NOT_APPROVED,
  form,
  json,
  refused,
  type XAnswer,
} from '../../../test/support/twitter/x-answers.js';
import { anXStage, aPersonOnX, CALLBACK, type XStage } from '../../../test/support/twitter/x-stage.js';
import { TwitterRedirect } from './twitter.redirect.js';

const REQUEST_TOKEN = '/oauth/request_token';
const ACCESS_TOKEN = '/oauth/access_token';

describe(TwitterRedirect.name, () => {
  let stage: XStage;
  let verifier: IdentityVerifier & RedirectsToProvider;
  const ada = aPersonOnX();
  const request = {
    callbackUrl: CALLBACK,
    state: 'our-state',
    nonce: 'our-nonce',
    codeVerifier: 'our-verifier',
  };
  const inTime = () => AbortSignal.timeout(10_000);

  beforeEach(async () => {
    stage = await anXStage();
    verifier = stage.open(stage.consumerKeys) as IdentityVerifier & RedirectsToProvider;
  });
  afterEach(() => stage.close());

  const start = (callbackUrl = CALLBACK, signal = inTime()) =>
    verifier.startRedirect({ ...request, callbackUrl, signal });
  const finish = (started: RedirectStart, parameters: URLSearchParams, signal = inTime()) =>
    verifier.finishRedirect({
      ...request,
      state: started.state,
      memory: started.memory,
      parameters: Object.fromEntries(parameters),
      signal,
    });
  const thrownBy = async (outcome: Promise<unknown>): Promise<BrokerError> => {
    const error: unknown = await outcome.then(
      () => new Error('nothing was thrown'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BrokerError);
    return error as BrokerError;
  };

  it('sends the browser away with a request token, and keeps its secret', async () => {
    const { url, state, memory } = await start();
    expect(url.href).toBe(`${stage.double.url}/oauth/authenticate?oauth_token=${encodeURIComponent(state)}`);
    expect(state).not.toBe('our-state');
    expect(memory).toMatch(/^.{32}$/);
    expect(url.href).not.toContain(memory);
  });

  it('knows who consented, by the same question as for a token that an app hands in', async () => {
    const started = await start();
    const back = await stage.double.authorize(started.url, ada);
    expect(await finish(started, back.searchParams)).toMatchObject({
      subject: ada.id,
      email: { address: ada.email, verified: false },
      profile: { name: ada.name, preferred_username: ada.screenName },
    });
    expect(stage.double.callsTo('/1.1/account/verify_credentials.json')).toBe(1);
  });

  it('knows them by API 2 where the plan closes API 1.1', async () => {
    stage.double.closeV1();
    const started = await start();
    const back = await stage.double.authorize(started.url, ada);
    expect((await finish(started, back.searchParams)).subject).toBe(ada.id);
  });

  it('takes nobody from what stands beside the access token', async () => {
    const started = await start();
    const back = await stage.double.authorize(started.url, ada);
    const token = stage.double.tokenFor(ada, stage.consumer);
    stage.double.answer(ACCESS_TOKEN, form({ ...token, user_id: '1', screen_name: 'somebody_else' }));
    const { subject, profile } = await finish(started, back.searchParams);
    expect([subject, profile.preferred_username]).toEqual([ada.id, 'ada']);
  });

  it('refuses a person who declined', async () => {
    const started = await start();
    const back = await stage.double.decline(started.url, ada);
    expect(Object.fromEntries(back.searchParams)).toEqual({ denied: started.state });
    expect((await thrownBy(finish(started, back.searchParams))).code).toBe('invalid_credentials');
    expect(stage.double.callsTo(ACCESS_TOKEN)).toBe(0);
  });

  it('refuses the consent to another request token', async () => {
    const [mine, theirs] = [await start(), await start()];
    const back = await stage.double.authorize(theirs.url, ada);
    expect((await thrownBy(finish(mine, back.searchParams))).code).toBe('invalid_credentials');
    expect(stage.double.callsTo(ACCESS_TOKEN)).toBe(0);
  });

  it.each<[string, (parameters: URLSearchParams) => void]>([
    ['another verifier', (parameters) => parameters.set('oauth_verifier', 'guessed')],
    ['no verifier', (parameters) => parameters.delete('oauth_verifier')],
    ['an empty verifier', (parameters) => parameters.set('oauth_verifier', '')],
    ['a verifier that is too long', (parameters) => parameters.set('oauth_verifier', 'x'.repeat(513))],
    ['no token', (parameters) => parameters.delete('oauth_token')],
    ['a refusal beside the token', (parameters) => parameters.set('denied', 'x')],
  ])('refuses a callback with %s', async (_name, change) => {
    const started = await start();
    const { searchParams } = await stage.double.authorize(started.url, ada);
    change(searchParams);
    expect((await thrownBy(finish(started, searchParams))).code).toBe('invalid_credentials');
  });

  it('refuses a callback that came before', async () => {
    const started = await start();
    const back = await stage.double.authorize(started.url, ada);
    await finish(started, back.searchParams);
    expect((await thrownBy(finish(started, back.searchParams))).code).toBe('invalid_credentials');
  });

  it('refuses a callback whose secret is not the one of its request token', async () => {
    const started = await start();
    const back = await stage.double.authorize(started.url, ada);
    for (const memory of ['another', null]) {
      const error = await thrownBy(finish({ ...started, memory }, back.searchParams));
      expect(error.code).toBe('invalid_credentials');
    }
  });

  it('blames us for a callback address that X does not know, which it says in XML', async () => {
    const error = await thrownBy(start(new URL('https://broker.example/elsewhere')));
    expect(error.code).toBe('identity_provider_misconfigured');
    expect((error.cause as Error).message).toBe(
      'X answered our request for a request token with 403 and error 415',
    );
    expect(inspect(error, { depth: 9 })).not.toContain('Callback URL not approved');
  });

  it('leaves passport-twitter an XML parser that works, should it ever come to that', () => {
    const strategy = Strategy.prototype as unknown as {
      parseErrorResponse(body: string, status: number): Error;
    };
    expect(strategy.parseErrorResponse(CALLBACK_NOT_APPROVED.body, 403).message).toContain(
      'Callback URL not approved',
    );
  });

  it.each<[string, XAnswer, string]>([
    ['refuses our keys', refused(401, 32, 'Could not authenticate you.'), 'identity_provider_misconfigured'],
    ['refuses our clock', refused(401, 135, 'Timestamp out of bounds.'), 'identity_provider_misconfigured'],
    ['has had enough of us', refused(429, 88, 'Rate limit exceeded.'), 'identity_provider_unavailable'],
    ['is over capacity', refused(503, 130, 'Over capacity'), 'identity_provider_unavailable'],
    ['answers nothing', { ...form({}), body: '' }, 'identity_provider_unavailable'],
    ['answers HTML', { ...form({}), body: '<html>Wi-Fi</html>' }, 'identity_provider_unavailable'],
    ['fails without a word', { ...form({}), status: 500, body: '' }, 'identity_provider_unavailable'],
    [
      'speaks OAuth 1.0',
      form({ oauth_token: 'token-of-1.0', oauth_token_secret: 'secret' }),
      'identity_provider_unavailable',
    ],
    ['sends us on', { ...json(302, {}), location: 'http://127.0.0.1:1/x' }, 'identity_provider_unavailable'],
  ])('does not begin when X %s', async (_name, answer, code) => {
    stage.double.answer(REQUEST_TOKEN, answer);
    expect((await thrownBy(start())).code).toBe(code);
  });

  it.each<[string, XAnswer, string]>([
    ['forgot the request token', refused(401, 89, 'Invalid or expired token.'), 'invalid_credentials'],
    ['refuses our clock', refused(401, 135, 'Timestamp out of bounds.'), 'identity_provider_misconfigured'],
    ['is over capacity', refused(503, 130, 'Over capacity'), 'identity_provider_unavailable'],
    ['answers HTML', { ...form({}), body: '<html>Wi-Fi</html>' }, 'identity_provider_unavailable'],
    ['repeats a token', form({ oauth_token: 'a' }), 'identity_provider_unavailable'],
  ])('does not end when X %s', async (_name, answer, code) => {
    const started = await start();
    const { searchParams } = await stage.double.authorize(started.url, ada);
    stage.double.answer(ACCESS_TOKEN, answer);
    const error = await thrownBy(finish(started, searchParams));
    expect(error.code).toBe(code);
    const shown = inspect(error, { depth: 12, showHidden: true });
    for (const secret of [started.memory!, searchParams.get('oauth_verifier')!, stage.consumer.secret]) {
      expect(shown).not.toContain(secret);
    }
  });

  it('blames X when it is down, at the beginning and at the end', async () => {
    const started = await start();
    const { searchParams } = await stage.double.authorize(started.url, ada);
    await stage.double.goDown();
    expect((await thrownBy(start())).code).toBe('identity_provider_unavailable');
    expect((await thrownBy(finish(started, searchParams))).code).toBe('identity_provider_unavailable');
  });

  it('goes by the clock here, as for tokens', async () => {
    stage.clock.offset = 600_000;
    expect((await thrownBy(start())).code).toBe('identity_provider_misconfigured');
  });

  it('waits for nobody once the signal is aborted', async () => {
    stage.double.stall();
    const controller = new AbortController();
    const outcome = thrownBy(start(CALLBACK, controller.signal));
    controller.abort();
    expect((await outcome).code).toBe('identity_provider_unavailable');
  });
});
