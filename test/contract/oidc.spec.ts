import { describe } from '@jest/globals';
import { SystemClock } from '../../src/time/clock.js';
import { claimsStage } from '../support/oidc/claims-stage.js';
import { CLIENT, type TokenOverrides } from '../support/oidc/issuer-double.js';
import { rsaKey } from '../support/signed-token.js';
import { describeIdentityVerifier, type VerifierHarness } from './identity-verifier.contract.js';

const ID_TOKEN_REFUSALS = [
  'a token of another issuer',
  'a token for another audience',
  'an expired token',
  'a token that is not valid yet',
  'a token with the signature of somebody else',
  'a token without a nonce',
  'a token with a nonce of its own',
  'a token with a nonce of another provider',
  'an access token',
  'text that is no token',
];
const ACCESS_TOKEN_REFUSALS = [
  'a token of nobody',
  'a token that is not active',
  'a token of another client',
  'an expired token',
];

describe('ID tokens', () => {
  describeIdentityVerifier('oidc', () => setUp('id_token'), ID_TOKEN_REFUSALS);
});
describe('access tokens', () => {
  describeIdentityVerifier('oidc', () => setUp('access_token'), ACCESS_TOKEN_REFUSALS);
});

async function setUp(form: 'id_token' | 'access_token'): Promise<VerifierHarness> {
  const { issuer, oidc, closed, close } = await claimsStage(new SystemClock());
  const options = form === 'access_token' ? { access_tokens: 'introspection', userinfo: true } : {};
  const verifier = oidc(options);
  const stranger = rsaKey(issuer.key.kid);
  const now = Math.floor(Date.now() / 1000);
  const idToken = (person: string, { payload = {}, ...rest }: TokenOverrides = {}) => ({
    id_token: issuer.token(person, { payload: { nonce: verifier.issueNonce().nonce, ...payload }, ...rest }),
  });
  const accessToken = (facts: object) => ({ access_token: issuer.opaqueToken('ada', { ...facts }) });
  const refused: Readonly<Record<string, () => object>> =
    form === 'id_token'
      ? {
          'a token of another issuer': () => idToken('ada', { payload: { iss: 'https://other.example' } }),
          'a token for another audience': () => idToken('ada', { payload: { aud: 'another-client' } }),
          'an expired token': () => idToken('ada', { payload: { exp: now - 3600 } }),
          'a token that is not valid yet': () => idToken('ada', { payload: { nbf: now + 3600 } }),
          'a token with the signature of somebody else': () => idToken('ada', { key: stranger }),
          'a token without a nonce': () => idToken('ada', { payload: { nonce: undefined } }),
          'a token with a nonce of its own': () =>
            idToken('ada', { payload: { nonce: 'of-the-app-itself' } }),
          'a token with a nonce of another provider': () =>
            idToken('ada', { payload: { nonce: oidc({}, undefined, 2).issueNonce().nonce } }),
          'an access token': () => idToken('ada', { header: { typ: 'at+jwt' } }),
          'text that is no token': () => ({ id_token: 'this is not a token' }),
        }
      : {
          'a token of nobody': () => ({ access_token: 'opaque-nobody-has-this-token' }),
          'a token that is not active': () => accessToken({ active: false }),
          'a token of another client': () => accessToken({ client_id: 'another-client' }),
          'an expired token': () => accessToken({ exp: now - 3600 }),
        };
  return {
    // A new one each time: what was discovered is at hand when the provider is down, and proves nothing of that.
    get verifier() {
      return oidc(options);
    },
    credentialOf: (person) =>
      Promise.resolve(form === 'id_token' ? idToken(person) : { access_token: issuer.opaqueToken(person) }),
    refused: (name) => Promise.resolve(refused[name]!()),
    goDown: () => issuer.goDown(),
    comeBack: () => issuer.comeBack(),
    stall: () => Promise.resolve(issuer.stall()),
    talkRubbish: () => Promise.resolve(issuer.talkRubbish()),
    verifierOfRefusedAddress: oidc(options, closed),
    secrets: [CLIENT.secret],
    close,
  };
}
