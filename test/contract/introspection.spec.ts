import { SystemClock } from '../../src/time/clock.js';
import { claimsStage } from '../support/oidc/claims-stage.js';
import { CLIENT } from '../support/oidc/issuer-double.js';
import { describeIdentityVerifier } from './identity-verifier.contract.js';

describeIdentityVerifier(
  'introspection',
  async () => {
    const { issuer, introspection, closed, close } = await claimsStage(new SystemClock());
    const now = Math.floor(Date.now() / 1000);
    const refused: Readonly<Record<string, () => string>> = {
      'a token of nobody': () => 'opaque-nobody-has-this-token',
      'a token that is not active': () => issuer.opaqueToken('ada', { active: false }),
      'a token for another audience': () => issuer.opaqueToken('ada', { aud: 'another-client' }),
      'a token for nobody': () => issuer.opaqueToken('ada', { aud: undefined }),
      'an expired token': () => issuer.opaqueToken('ada', { exp: now - 3600 }),
      'a token that is not valid yet': () => issuer.opaqueToken('ada', { nbf: now + 3600 }),
    };
    return {
      verifier: introspection(),
      credentialOf: (person) => Promise.resolve({ token: issuer.opaqueToken(person) }),
      refused: (name) => Promise.resolve({ token: refused[name]!() }),
      goDown: () => issuer.goDown(),
      comeBack: () => issuer.comeBack(),
      stall: () => Promise.resolve(issuer.stall()),
      talkRubbish: () => Promise.resolve(issuer.talkRubbish()),
      verifierOfRefusedAddress: introspection({}, closed),
      secrets: [CLIENT.secret],
      close,
    };
  },
  [
    'a token of nobody',
    'a token that is not active',
    'a token for another audience',
    'a token for nobody',
    'an expired token',
    'a token that is not valid yet',
  ],
);
