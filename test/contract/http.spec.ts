import { describe } from '@jest/globals';
import { SystemClock } from '../../src/time/clock.js';
import { REFUSALS, RUBBISH } from '../support/partner/partner-double.js';
import { kindTowards, partnerStage } from '../support/partner/partner-stage.js';
import { describeIdentityVerifier, type VerifierHarness } from './identity-verifier.contract.js';

const KEY = 'the-operators-own-key-of-the-partner';
const SIGNING_SECRET = Buffer.from('thirty-two bytes of a secret....').toString('base64');

const TOKEN_REFUSALS = [
  ...Object.keys(REFUSALS),
  'a token of nobody',
  'text that is no token',
  'a token that is more than its place',
  'a token with a NUL',
];
const LOGIN_REFUSALS = [
  'a wrong password',
  'a login of nobody',
  'the password of another',
  'a login with a quote',
];

describe('tokens in a body', () => {
  describeIdentityVerifier('http', () => setUp('tokens'), TOKEN_REFUSALS);
});
describe('tokens in a header', () => {
  describeIdentityVerifier('http', () => setUp('bearer'), [...TOKEN_REFUSALS, 'a token with a line break']);
});
describe('a login form', () => {
  describeIdentityVerifier('http', () => setUp('logins'), LOGIN_REFUSALS);
});

const FORMS = {
  tokens: {
    headers: { 'X-Api-Key': KEY },
    params: { token: '#{token}' },
    signing: { secret: SIGNING_SECRET },
  },
  bearer: { method: 'GET', headers: { Authorization: 'Bearer #{token}', 'X-Api-Key': KEY }, params: {} },
  logins: {
    headers: { 'X-Api-Key': KEY },
    params: { login: '#{login}', password: '#{password}' },
    body_format: 'form',
  },
};

/** @param form by what means people are proven. */
async function setUp(form: keyof typeof FORMS): Promise<VerifierHarness> {
  const { partner, verifierOf, close } = await partnerStage();
  const refusing = kindTowards(new SystemClock());
  const passwordOf = (name: string) => {
    const { login, password } = partner.user(name);
    return { login, password };
  };
  const refused: Record<string, () => object> = {
    ...Object.fromEntries(
      Object.entries(REFUSALS).map(([name, answer]) => [name, () => ({ token: partner.tokenFor(answer) })]),
    ),
    'a token of nobody': () => ({ token: 'partner-nobody-has-this-token' }),
    'text that is no token': () => ({ token: 'text that is no token: &=#%00 ../?"' }),
    'a token that is more than its place': () => ({ token: 'a-token-of-nobody","token":"x' }),
    'a token with a NUL': () => ({ token: 'a-token-of-nobody\u0000' }),
    'a token with a line break': () => ({ token: `${partner.tokenOf('ada')}\r\nX-User: 1` }),
    'a wrong password': () => ({ ...passwordOf('ada'), password: 'not the password of ada' }),
    'a login of nobody': () => ({ login: 'nobody', password: 'the password of nobody' }),
    'the password of another': () => ({ ...passwordOf('ada'), password: passwordOf('bob').password }),
    'a login with a quote': () => ({ login: "ada' OR '1'='1", password: '&login=ada&password=x' }),
  };
  return {
    verifier: verifierOf(FORMS[form]),
    credentialOf: (name) =>
      Promise.resolve(form === 'logins' ? passwordOf(name) : { token: partner.tokenOf(name) }),
    refused: (name) => Promise.resolve(refused[name]!()),
    goDown: () => partner.goDown(),
    comeBack: () => partner.comeBack(),
    stall: () => Promise.resolve(partner.stall()),
    talkRubbish: () => Promise.resolve(partner.answer(RUBBISH['a page with status 200'])),
    verifierOfRefusedAddress: verifierOf(FORMS[form], refusing.kind),
    secrets: [KEY, SIGNING_SECRET],
    async close() {
      await refusing.outbound.close();
      await close();
    },
  };
}
