import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BrokerError } from '../../errors/broker-error.js';
import { redirects, type IdentityVerifier } from '../../identity/identity-verifier.js';
import {
  CLIENT_FORBIDDEN,
  json,
  NOT_IN_PLAN,
  problem,
  refused,
  tokenError,
  type XAnswer,
} from '../../../test/support/twitter/x-answers.js';
import { anXStage, aPersonOnX, type XStage } from '../../../test/support/twitter/x-stage.js';
import { TwitterVerifier } from './twitter.verifier.js';

const V1 = '/1.1/account/verify_credentials.json';
const V2 = '/2/users/me';
const TOKEN = '/2/oauth2/token';

describe(TwitterVerifier.name, () => {
  let stage: XStage;
  let verifier: IdentityVerifier;
  const ada = aPersonOnX();

  beforeEach(async () => {
    stage = await anXStage();
    verifier = stage.open({ ...stage.consumerKeys, ...stage.clientKeys });
  });
  afterEach(() => stage.close());

  const verify = (credential: unknown) =>
    verifier.verify(verifier.credentialSchema.parse(credential), { signal: AbortSignal.timeout(10_000) });
  const aToken = () => stage.double.tokenFor(ada, stage.consumer);
  const faultOf = (credential: unknown) =>
    verify(credential).then(
      () => 'none',
      (error: BrokerError) => error.code,
    );

  it('knows who is behind a token by API 1.1, and calls no address verified', async () => {
    expect(await verify(aToken())).toEqual({
      provider: { id: 1, applicationId: 1, kind: 'twitter', slug: 'twitter', version: 1 },
      subject: '9007199254740993',
      email: { address: 'ada@example.com', verified: false },
      profile: {
        name: 'Ada Lovelace',
        preferred_username: 'ada',
        picture: 'https://pbs.twimg.com/profile_images/9007199254740993/normal.jpg',
      },
      amr: [],
      authTime: expect.any(Date),
    });
  });

  it('knows the same person by API 2 where the plan closes API 1.1', async () => {
    stage.double.closeV1();
    const { subject, profile, email } = await verify(aToken());
    expect({ subject, email, ...profile }).toEqual({
      subject: '9007199254740993',
      email: undefined,
      name: 'Ada Lovelace',
      preferred_username: 'ada',
      picture: 'https://pbs.twimg.com/profile_images/9007199254740993/normal.jpg',
    });
  });

  it('knows the same person by a code', async () => {
    expect((await verify(stage.codeOf(ada))).subject).toBe('9007199254740993');
  });

  it('leaves API 1.1 alone for ten minutes once it is closed, then tries again', async () => {
    stage.double.closeV1();
    await verify(aToken());
    await verify(aToken());
    stage.clock.advance({ minutes: 9 });
    await verify(aToken());
    expect(stage.double.callsTo(V1)).toBe(1);
    stage.double.openV1();
    stage.clock.advance({ minutes: 1 });
    expect((await verify(aToken())).email).toBeDefined();
    expect(stage.double.callsTo(V1)).toBe(2);
  });

  it.each<[string, XAnswer, number]>([
    ['that the plan does not include it', NOT_IN_PLAN, 1],
    ['that there is no such page', refused(404, 34, 'Sorry, that page does not exist.'), 1],
    ['that it is gone', json(410, {}), 1],
    ['no without a reason, which may be about one person', json(403, {}), 2],
    ['that it does not know the user', refused(404, 50, 'User not found.'), 2],
  ])('asks API 2 when API 1.1 says %s', async (_name, answer, callsInTwo) => {
    stage.double.answer(V1, answer);
    expect((await verify(aToken())).subject).toBe(ada.id);
    expect((await verify(aToken())).subject).toBe(ada.id);
    expect(stage.double.callsTo(V1)).toBe(callsInTwo);
  });

  it('calls itself misconfigured when the clock here is off', async () => {
    stage.clock.offset = 600_000;
    expect(await faultOf(aToken())).toBe('identity_provider_misconfigured');
  });

  it('does not remember for one instance what X said to another', async () => {
    stage.double.closeV1();
    await verify(aToken());
    verifier = stage.open(stage.consumerKeys);
    await verify(aToken());
    expect(stage.double.callsTo(V1)).toBe(2);
  });

  it.each<[string, XAnswer, string]>([
    ['an expired token', refused(401, 89, 'Invalid or expired token.'), 'invalid_credentials'],
    ['a signature', refused(401, 32, 'Could not authenticate you.'), 'invalid_credentials'],
    ['a header', refused(400, 215, 'Bad Authentication data.'), 'invalid_credentials'],
    ['a suspended user', refused(403, 63, 'User has been suspended.'), 'invalid_credentials'],
    ['a locked user', refused(403, 326, 'This account is temporarily locked.'), 'invalid_credentials'],
    ['our clock', refused(401, 135, 'Timestamp out of bounds.'), 'identity_provider_misconfigured'],
    ['our app', refused(401, 416, 'Invalid / suspended application'), 'identity_provider_misconfigured'],
    ['our credits', json(402, { title: 'CreditsDepleted' }), 'identity_provider_misconfigured'],
    ['our haste', refused(429, 88, 'Rate limit exceeded.'), 'identity_provider_unavailable'],
    ['its capacity', refused(503, 130, 'Over capacity'), 'identity_provider_unavailable'],
    ['itself', refused(500, 131, 'Internal error'), 'identity_provider_unavailable'],
    ['itself beside 403', refused(403, 131, 'Internal error'), 'identity_provider_unavailable'],
    ['nobody', json(200, []), 'identity_provider_unavailable'],
    ['a redirect', { ...json(302, {}), location: 'http://127.0.0.1:1/' }, 'identity_provider_unavailable'],
  ])('says whose fault it is when X faults %s', async (_name, answer, code) => {
    stage.double.answer(V1, answer);
    expect(await faultOf(aToken())).toBe(code);
    expect(stage.double.callsTo(V2)).toBe(0);
  });

  it.each<[string, XAnswer, string]>([
    ['our app', CLIENT_FORBIDDEN, 'identity_provider_misconfigured'],
    ['our plan', NOT_IN_PLAN, 'identity_provider_misconfigured'],
    [
      'our permissions',
      problem(403, 'https://api.twitter.com/2/problems/oauth1-permissions', 'Forbidden', 'Your client app…'),
      'identity_provider_misconfigured',
    ],
    [
      'a suspended user',
      problem(403, 'https://api.twitter.com/2/problems/user-suspended', 'Forbidden', 'The user…'),
      'invalid_credentials',
    ],
    ['nobody in particular', problem(403, 'about:blank', 'Forbidden', 'Forbidden'), 'invalid_credentials'],
    ['a token', problem(401, 'about:blank', 'Unauthorized', 'Unauthorized'), 'invalid_credentials'],
    [
      'our haste',
      problem(429, 'about:blank', 'Too Many Requests', 'Too Many'),
      'identity_provider_unavailable',
    ],
    ['itself', problem(503, 'about:blank', 'Service Unavailable', 'Away'), 'identity_provider_unavailable'],
  ])('says whose fault it is when API 2 faults %s', async (_name, answer, code) => {
    stage.double.closeV1();
    stage.double.answer(V2, answer);
    expect(await faultOf(aToken())).toBe(code);
    expect(await faultOf(stage.codeOf(ada))).toBe(code);
  });

  it.each<[string, XAnswer, string]>([
    ['invalid_grant', tokenError(400, 'invalid_grant', 'no'), 'invalid_credentials'],
    ['invalid_request', tokenError(400, 'invalid_request', 'no'), 'invalid_credentials'],
    ['invalid_client', tokenError(401, 'invalid_client', 'no'), 'identity_provider_misconfigured'],
    ['unauthorized_client', tokenError(401, 'unauthorized_client', 'no'), 'identity_provider_misconfigured'],
    ['429', json(429, { title: 'Too Many Requests' }), 'identity_provider_unavailable'],
    ['503', json(503, {}), 'identity_provider_unavailable'],
    ['400 without a word', json(400, {}), 'invalid_credentials'],
    ['401 without a word', json(401, {}), 'identity_provider_unavailable'],
    ['402', json(402, { title: 'CreditsDepleted' }), 'identity_provider_misconfigured'],
    [
      'a token of another type',
      json(200, { token_type: 'mac', access_token: 'x' }),
      'identity_provider_unavailable',
    ],
    [
      'a token that would break the header',
      json(200, { token_type: 'bearer', access_token: 'x\r\ny: z' }),
      'identity_provider_unavailable',
    ],
  ])('says whose fault it is when X answers a code with %s', async (_name, answer, code) => {
    stage.double.answer(TOKEN, answer);
    expect(await faultOf(stage.codeOf(ada))).toBe(code);
    expect(stage.double.callsTo(V2)).toBe(0);
  });

  it('calls keys that X does not know misconfigured where a code is redeemed with them', async () => {
    verifier = stage.open({ ...stage.clientKeys, client_id: 'mistyped' });
    expect(await faultOf(stage.codeOf(ada))).toBe('identity_provider_misconfigured');
  });

  it('asks X nothing about a code for a redirect URI that the operator did not list', async () => {
    const credential = { ...stage.codeOf(ada), redirect_uri: 'https://app.example/callback?' };
    expect(await faultOf(credential)).toBe('invalid_credentials');
    expect(stage.double.calls.size).toBe(0);
  });

  it('takes a display name that is no text, or a picture without https, for none', async () => {
    stage.double.answer(
      V1,
      json(200, { id_str: '12', name: 7, screen_name: '', profile_image_url_https: 'http://x/' }),
    );
    expect((await verify(aToken())).profile).toEqual({});
  });

  it('takes only the forms that it has keys for', () => {
    const token = aToken();
    const code = stage.codeOf(ada);
    const taken = (options: object) => {
      const { credentialSchema } = stage.open(options);
      return [token, code].map((credential) => credentialSchema.safeParse(credential).success);
    };
    expect(taken(stage.consumerKeys)).toEqual([true, false]);
    expect(taken(stage.clientKeys)).toEqual([false, true]);
    expect(taken({ ...stage.consumerKeys, ...stage.clientKeys })).toEqual([true, true]);
  });

  it('takes no bare OAuth 2 access token: it does not say whose app it is for', () => {
    expect(verifier.credentialSchema.safeParse({ access_token: 'a-bearer-token-of-some-app' }).success).toBe(
      false,
    );
  });

  it.each(['x'.repeat(513), 'line\r\nbreak', '☃', 'half \ud83d', 'nul \u0000'])(
    'takes %j for no token',
    (text) => {
      const { credentialSchema } = verifier;
      expect(credentialSchema.safeParse({ ...aToken(), oauth_token: text }).success).toBe(false);
      expect(credentialSchema.safeParse({ ...aToken(), oauth_token_secret: text }).success).toBe(false);
      expect(credentialSchema.safeParse({ ...stage.codeOf(ada), code: text }).success).toBe(false);
    },
  );

  it('sends browsers to X only with consumer keys', () => {
    expect(redirects(stage.open(stage.consumerKeys))).toBe(true);
    expect(redirects(stage.open(stage.clientKeys))).toBe(false);
  });
});
