import {
  OUR_APP,
  FOREIGN_APP,
  SECRETS,
  facebookStage,
  outboundTo,
} from '../support/facebook/facebook-stage.js';
import type { IdTokenOverrides } from '../support/facebook/graph-double.js';
import { SystemClock } from '../../src/time/clock.js';
import { describeIdentityVerifier } from './identity-verifier.contract.js';

const NONCE = 'Qw7-nonce-of-the-app-9f3b';

describeIdentityVerifier(
  'facebook',
  async () => {
    const { graph, verifier, verifierOf, close } = await facebookStage(new SystemClock());
    const now = Math.floor(Date.now() / 1000);
    const idToken = (overrides: IdTokenOverrides, appId = OUR_APP) => ({
      id_token: graph.limitedLoginToken(appId, 'ada', NONCE, overrides),
      nonce: NONCE,
    });
    const refused: Readonly<Record<string, () => object>> = {
      'a token of another app': () => ({ access_token: graph.userToken(FOREIGN_APP, 'ada') }),
      'an expired token': () => ({
        access_token: graph.userToken(OUR_APP, 'ada', { expiresInSeconds: -1 }),
      }),
      'a token of nobody': () => ({ access_token: 'EAAnobodyhasthistokenatall' }),
      'an app token': () => ({ access_token: graph.appToken(OUR_APP) }),
      'an app token of another app': () => ({ access_token: graph.appToken(FOREIGN_APP) }),
      'an ID token for another audience': () => idToken({}, FOREIGN_APP),
      'an ID token of another issuer': () => idToken({ payload: { iss: 'https://accounts.example' } }),
      'an ID token with another nonce': () => ({ ...idToken({}), nonce: 'Xz2-some-other-nonce-11aa' }),
      'an ID token without a nonce': () => idToken({ payload: { nonce: undefined } }),
      'an expired ID token': () => idToken({ payload: { iat: now - 7200, exp: now - 3600 } }),
      'an ID token of half an hour ago': () => idToken({ payload: { iat: now - 1800 } }),
      'text that is no token': () => ({ id_token: 'this is not a token', nonce: NONCE }),
    };
    const closed = outboundTo();
    return {
      verifier,
      credentialOf: (person) => Promise.resolve({ access_token: graph.userToken(OUR_APP, person) }),
      refused: (name) => Promise.resolve(refused[name]!()),
      goDown: () => graph.goDown(),
      comeBack: () => graph.comeBack(),
      stall: () => Promise.resolve(graph.stall()),
      talkRubbish: () => Promise.resolve(graph.talkRubbish()),
      verifierOfRefusedAddress: verifierOf({}, closed),
      secrets: Object.values(SECRETS),
      close: async () => {
        await closed.close();
        await close();
      },
    };
  },
  [
    'a token of another app',
    'an expired token',
    'a token of nobody',
    'an app token',
    'an app token of another app',
    'an ID token for another audience',
    'an ID token of another issuer',
    'an ID token with another nonce',
    'an ID token without a nonce',
    'an expired ID token',
    'an ID token of half an hour ago',
    'text that is no token',
  ],
);
