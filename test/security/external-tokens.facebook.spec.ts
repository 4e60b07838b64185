import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BrokerError } from '../../src/errors/broker-error.js';
import { facebookOptionsSchema } from '../../src/social-auth/facebook/facebook.options.js';
import {
  FOREIGN_APP,
  OUR_APP,
  OUR_SECOND_APP,
  SECRETS,
  facebookStage,
} from '../support/facebook/facebook-stage.js';
import type { IdTokenOverrides } from '../support/facebook/graph-double.js';
import { ManualClock } from '../support/manual-clock.js';
import { rsaKey } from '../support/signed-token.js';

const clock = new ManualClock();
const NONCE = 'a nonce of the app';

describe('external tokens: Facebook', () => {
  let stage: Awaited<ReturnType<typeof facebookStage>>;
  beforeAll(async () => {
    stage = await facebookStage(clock);
  });
  afterAll(() => stage.close());
  beforeEach(() => stage.graph.comeBack());

  const signal = () => AbortSignal.timeout(10_000);
  const verify = (credential: unknown, verifier = stage.verifier) =>
    verifier.verify(verifier.credentialSchema.parse(credential), { signal: signal() });
  const errorOf = (outcome: Promise<unknown>) =>
    outcome.then(
      () => 'nothing thrown',
      (error: BrokerError) => error.code,
    );
  const idToken = (overrides: IdTokenOverrides = {}, appId = OUR_APP) => ({
    id_token: stage.graph.limitedLoginToken(appId, 'ada', NONCE, overrides),
    nonce: NONCE,
  });

  it('A-01 refuses a token issued to another Facebook app', async () => {
    const token = stage.graph.userToken(FOREIGN_APP, 'ada');
    expect(await errorOf(verify({ access_token: token }))).toBe('invalid_credentials');
  });

  it('A-01 refuses it too when Graph says whose it is instead of refusing us', async () => {
    const data = {
      app_id: FOREIGN_APP,
      type: 'USER',
      is_valid: true,
      user_id: '100200300',
      expires_at: 0,
    };
    stage.graph.script('/debug_token', { status: 200, body: { data } });
    const token = stage.graph.userToken(OUR_APP, 'ada');
    expect(await errorOf(verify({ access_token: token }))).toBe('invalid_credentials');
    expect(stage.graph.countOf('/me')).toBe(0);
  });

  it('A-01 takes a token of each of our apps', async () => {
    for (const app of [OUR_APP, OUR_SECOND_APP]) {
      const identity = await verify({ access_token: stage.graph.userToken(app, 'ada') });
      expect(identity.subject).toBe(stage.graph.userId(app, 'ada'));
    }
  });

  it.each([
    ['a text', '12345678'],
    ['a number', 12345678],
    ['a list', ['12345678']],
    ['a list of apps', [{ app_secret: 's'.repeat(32) }]],
    ['an id that is no Facebook app id', { '12': { app_secret: 's'.repeat(32) } }],
    ['an id with a space', { '12345678 ': { app_secret: 's'.repeat(32) } }],
  ])('A-02 refuses an app id list that is %s when it is saved', (_, apps) => {
    expect(facebookOptionsSchema.safeParse({ apps }).success).toBe(false);
  });

  it('A-02 compares app ids as a whole', async () => {
    const apps = { [`${OUR_APP}1`]: { app_secret: SECRETS[OUR_APP] } };
    stage.graph.addApp(`${OUR_APP}1`, SECRETS[OUR_APP]!);
    const data = { app_id: OUR_APP, type: 'USER', is_valid: true, user_id: '100200300', expires_at: 0 };
    stage.graph.script('/debug_token', { status: 200, body: { data } });
    const longer = stage.verifierOf({ apps, redirect_app_id: undefined });
    expect(await errorOf(verify({ access_token: 'EAAtoken' }, longer))).toBe('invalid_credentials');
  });

  it.each([
    ['empty', { apps: {} }],
    ['missing', {}],
    ['null', { apps: null }],
    ['without a secret', { apps: { [OUR_APP]: {} } }],
    ['with an empty secret', { apps: { [OUR_APP]: { app_secret: '' } } }],
  ])('A-03 refuses an app id list that is %s', (_, options) => {
    expect(facebookOptionsSchema.safeParse(options).success).toBe(false);
  });

  it.each(['https://www.facebook.com', 'https://limited.facebook.com'])(
    'A-05 takes a Limited Login token of %s for one of our apps',
    async (iss) => {
      const identity = await verify(idToken({ payload: { iss } }));
      expect(identity.subject).toBe(stage.graph.userId(OUR_APP, 'ada'));
    },
  );

  it.each([
    ['another audience', { aud: FOREIGN_APP }],
    ['another issuer', { iss: 'https://facebook.com' }],
    ['an issuer with a slash', { iss: 'https://www.facebook.com/' }],
    ['no audience', { aud: undefined }],
    ['no issuer', { iss: undefined }],
  ])('A-05 refuses a Limited Login token of %s', async (_, payload) => {
    expect(await errorOf(verify(idToken({ payload })))).toBe('invalid_credentials');
  });

  it('A-05 takes no issuer that the definition does not list', async () => {
    const strict = stage.verifierOf({
      limited_login: { jwks_url: stage.graph.jwksUrl, issuers: ['https://limited.facebook.com'] },
    });
    expect(await errorOf(verify(idToken(), strict))).toBe('invalid_credentials');
  });

  it('A-05 takes no ID token where Limited Login is off', () => {
    const { credentialSchema } = stage.verifierOf({ limited_login: { enabled: false } });
    expect(credentialSchema.safeParse(idToken()).success).toBe(false);
  });

  const errorBody = { error: { message: 'nobody', type: 'OAuthException', code: 190 } };
  const facts = { app_id: OUR_APP, type: 'USER', is_valid: true, expires_at: 0 };

  it.each([
    ['an error body and no id', errorBody],
    ['no id', { name: 'Ada' }],
    ['an id of an object', { id: { $ne: null } }],
  ])('A-13 refuses a profile of status 200 with %s', async (_, body) => {
    stage.graph.script('/me', { status: 200, body });
    const token = stage.graph.userToken(OUR_APP, 'ada');
    expect(await errorOf(verify({ access_token: token }))).toBe('invalid_credentials');
  });

  /** All else is as it has to be: what is refused is refused for the one thing. */
  const outcomeOf = (data: object, id: unknown = '1') => {
    stage.graph.script('/debug_token', { status: 200, body: { data } });
    stage.graph.script('/me', { status: 200, body: { id } });
    return errorOf(verify({ access_token: 'EAAtoken' }));
  };

  it('A-13 takes a Graph answer that has all it needs', async () => {
    expect(await outcomeOf({ ...facts, user_id: '1' })).toBe('nothing thrown');
  });

  it.each([
    ['an error', { error: { code: 190 }, is_valid: false, scopes: [] }],
    ['a token that is not valid', { ...facts, user_id: '1', is_valid: false }],
    ['nothing', {}],
    ['no user', facts],
    ['a validity that is only like true', { ...facts, user_id: '1', is_valid: 'true' }],
    ['no validity', { ...facts, user_id: '1', is_valid: undefined }],
    ['no expiry', { ...facts, user_id: '1', expires_at: undefined }],
    ['a token of a page', { ...facts, user_id: '1', type: 'PAGE' }],
    ['a token of an app', { ...facts, user_id: '1', type: 'APP' }],
    ['no type', { ...facts, user_id: '1', type: undefined }],
  ])('A-13 refuses data of status 200 with %s', async (_, data) => {
    expect(await outcomeOf(data)).toBe('invalid_credentials');
  });

  it.each(['', 0, null, 'null', 'undefined', [], {}, true, 'x'.repeat(300), '1\u00002', 2 ** 53, 1.5, -1])(
    'A-14 refuses %j as the id of a person',
    async (user_id) => {
      expect(await outcomeOf({ ...facts, user_id }, user_id)).toBe('invalid_credentials');
    },
  );

  it('A-15 keeps ids apart that a number would make one', async () => {
    const subjects = new Set<string>();
    for (const id of ['1', '001', '9007199254740992', '9007199254740993']) {
      stage.graph.script('/debug_token', { status: 200, body: { data: { ...facts, user_id: id } } });
      stage.graph.script('/me', { status: 200, body: { id } });
      subjects.add((await verify({ access_token: 'EAAtoken' })).subject);
    }
    expect(subjects.size).toBe(4);
  });

  it('A-16 refuses a profile of somebody else than the token is of', async () => {
    const body = { id: stage.graph.userId(OUR_APP, 'bob'), name: 'Bob' };
    stage.graph.script('/me', { status: 200, body });
    const token = stage.graph.userToken(OUR_APP, 'ada');
    expect(await errorOf(verify({ access_token: token }))).toBe('invalid_credentials');
  });

  it('A-19 takes no access token as an ID token, and no ID token as an access token', async () => {
    const token = stage.graph.userToken(OUR_APP, 'ada');
    const outcomes = [
      await errorOf(verify({ id_token: token, nonce: NONCE })),
      await errorOf(verify({ access_token: idToken().id_token })),
    ];
    expect(outcomes).toEqual(['invalid_credentials', 'invalid_credentials']);
  });

  it('B-02 takes no Limited Login token of another algorithm than RS256', async () => {
    const header = { alg: 'RS512' };
    expect(await errorOf(verify(idToken({ header })))).toBe('invalid_credentials');
  });

  it('B-16 refuses a Limited Login token whose nonce is missing or another', async () => {
    const missing = idToken({ payload: { nonce: undefined } });
    const another = { ...idToken(), nonce: 'another nonce' };
    expect([await errorOf(verify(missing)), await errorOf(verify(another))]).toEqual([
      'invalid_credentials',
      'invalid_credentials',
    ]);
  });

  it('B-16 takes no ID token without the nonce beside it', () => {
    const { id_token } = idToken();
    expect(stage.verifier.credentialSchema.safeParse({ id_token }).success).toBe(false);
  });

  it('B-16 says which token it was, so that it can be traded once', async () => {
    const credential = idToken();
    const [first, second] = [await verify(credential), await verify(credential)];
    expect(first.oneTime).toEqual(second.oneTime);
    expect((await verify(idToken())).oneTime?.id).not.toBe(first.oneTime?.id);
    expect(first.oneTime!.expiresAt.getTime()).toBe(clock.now() + 11 * 60_000);
  });

  it('B-08 takes a token of a new key within one cooldown', async () => {
    await verify(idToken());
    stage.graph.rotateKeys(rsaKey('fb-new'));
    clock.advance({ seconds: 30 });
    expect((await verify(idToken())).subject).toMatch(/^\d+$/);
  });
});
