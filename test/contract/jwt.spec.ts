import { describe } from '@jest/globals';
import { SystemClock } from '../../src/time/clock.js';
import { claimsStage } from '../support/oidc/claims-stage.js';
import { rsaKey, signedToken } from '../support/signed-token.js';
import { describeIdentityVerifier, type VerifierHarness } from './identity-verifier.contract.js';

const SECRET = 'a secret of thirty-two and more bytes';
const REFUSALS = [
  'a token of another issuer',
  'a token for another audience',
  'an expired token',
  'a token that is not valid yet',
  'a token with the signature of somebody else',
  'a token without an expiry',
  'an unsigned token',
  'text that is no token',
];

describe('by the keys of an address', () => {
  describeIdentityVerifier('jwt', () => setUp('jwks'), REFUSALS);
});
describe('by keys of the definition', () => {
  describeIdentityVerifier('jwt', () => setUp('keys'), REFUSALS);
});
describe('by a shared secret', () => {
  describeIdentityVerifier('jwt', () => setUp('secret'), REFUSALS);
});

async function setUp(by: 'jwks' | 'keys' | 'secret'): Promise<VerifierHarness> {
  const { issuer, jwt, closed, close } = await claimsStage(new SystemClock());
  const stranger = rsaKey(issuer.key.kid);
  const definitions = {
    jwks: {},
    keys: { jwks_url: undefined, keys: [issuer.key.jwk] },
    secret: { jwks_url: undefined, algorithms: ['HS256'], secret: SECRET, secret_encoding: 'utf-8' },
  };
  const tokenOf = (person: string, payload: object = {}, isSigned = true) => {
    if (by !== 'secret') return issuer.token(person, { payload, ...(!isSigned && { key: stranger }) });
    const key = isSigned ? SECRET : 'another secret of thirty-two bytes and more';
    return signedToken({
      header: { alg: 'HS256' },
      payload: { ...issuer.claimsOf(person), ...payload },
      key,
    });
  };
  const now = Math.floor(Date.now() / 1000);
  const refused: Readonly<Record<string, () => string>> = {
    'a token of another issuer': () => tokenOf('ada', { iss: 'https://other.example' }),
    'a token for another audience': () => tokenOf('ada', { aud: 'another-client' }),
    'an expired token': () => tokenOf('ada', { exp: now - 3600 }),
    'a token that is not valid yet': () => tokenOf('ada', { nbf: now + 3600 }),
    'a token with the signature of somebody else': () => tokenOf('ada', {}, false),
    'a token without an expiry': () => tokenOf('ada', { exp: undefined }),
    'an unsigned token': () =>
      signedToken({ header: { alg: 'none' }, payload: issuer.claimsOf('ada'), key: null }),
    'text that is no token': () => 'this is not a token',
  };
  const isDialled = by === 'jwks';
  return {
    // A new one each time: keys that were fetched are at hand when the issuer is down, and prove nothing of that.
    get verifier() {
      return jwt(definitions[by]);
    },
    credentialOf: (person) => Promise.resolve({ token: tokenOf(person) }),
    refused: (name) => Promise.resolve({ token: refused[name]!() }),
    goDown: () => issuer.goDown(),
    comeBack: () => issuer.comeBack(),
    stall: isDialled ? () => Promise.resolve(issuer.stall()) : null,
    talkRubbish: isDialled ? () => Promise.resolve(issuer.talkRubbish()) : null,
    verifierOfRefusedAddress: isDialled ? jwt(definitions[by], closed) : null,
    secrets: [SECRET],
    close,
  };
}
