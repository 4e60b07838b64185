import { describe } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { TwitterKind } from '../../src/social-auth/twitter/twitter.kind.js';
import { OutboundClient } from '../../src/outbound/outbound-client.js';
import { SystemClock } from '../../src/time/clock.js';
import { XDouble } from '../support/twitter/x-double.js';
import { describeIdentityVerifier, type VerifierHarness } from './identity-verifier.contract.js';

const TOKEN_REFUSALS = [
  'a token of another consumer',
  'the secret of another token',
  'an expired token',
  'a suspended user',
  'text that is no token',
];
const CODE_REFUSALS = [
  'a code used before',
  'a code with another verifier',
  'a code for another redirect URI',
  'a code for a redirect URI that is not listed',
  'a code of another client',
  'a code without the scopes it needs',
  'text that is no code',
];

describe('OAuth 1.0a tokens', () => {
  describeIdentityVerifier('twitter', () => setUp('tokens'), TOKEN_REFUSALS);
});
describe('OAuth 2 codes', () => {
  describeIdentityVerifier('twitter', () => setUp('codes'), CODE_REFUSALS);
});

const OUTBOUND = {
  connectMilliseconds: 1000,
  totalMilliseconds: 3000,
  maxResponseBytes: 262144,
  connectionsPerOrigin: 20,
};

/** @param form which of its two credential forms the promises are asked of. */
async function setUp(form: 'tokens' | 'codes'): Promise<VerifierHarness> {
  const double = await XDouble.start();
  const outbound = new OutboundClient({ ...OUTBOUND, allow: ['127.0.0.1'] });
  const guarded = new OutboundClient({ ...OUTBOUND, allow: [] });
  const consumer = double.addConsumer({
    key: 'ourConsumerKey',
    secret: 'ourConsumerSecret+/=',
    callbacks: [],
  });
  const otherConsumer = double.addConsumer({
    key: 'theirConsumerKey',
    secret: 'their-secret',
    callbacks: [],
  });
  const redirectUris = ['https://app.example/callback', 'exampleapp://callback'];
  const client = double.addClient({ id: 'ourClientId', secret: 'ourClientSecret:%', redirectUris });
  const otherClient = double.addClient({ id: 'theirClientId', secret: 'another', redirectUris });

  const definition = {
    ref: { id: 1, applicationId: 1, kind: 'twitter', slug: 'twitter', version: 1 },
    options: {
      consumer_key: consumer.key,
      consumer_secret: consumer.secret,
      client_id: client.id,
      client_secret: client.secret!,
      redirect_uris: redirectUris,
      api_url: double.url,
    },
  };
  const clock = new SystemClock();
  const people = new Map<string, ReturnType<typeof aPerson>>();
  const person = (name: string) => {
    if (!people.has(name)) people.set(name, aPerson(name, people.size));
    return people.get(name)!;
  };
  const codeOf = (
    name: string,
    changed: Partial<{ client: typeof client; redirectUri: string; scope: string }> = {},
  ) => {
    const codeVerifier = randomBytes(32).toString('base64url');
    const { client: issuedTo = client, redirectUri = redirectUris[0]!, ...rest } = changed;
    const code = double.codeFor(person(name), issuedTo, { codeVerifier, redirectUri, ...rest });
    return { code, code_verifier: codeVerifier, redirect_uri: redirectUri };
  };

  const verifier = new TwitterKind(outbound, clock).open(definition);
  const refused: Record<string, () => unknown> = {
    'a token of another consumer': () => double.tokenFor(person('ada'), otherConsumer),
    'the secret of another token': () => ({
      ...double.tokenFor(person('ada'), consumer),
      oauth_token_secret: double.tokenFor(person('ada'), consumer).oauth_token_secret,
    }),
    'an expired token': () => {
      const token = double.tokenFor(person('ada'), consumer);
      double.revoke(token.oauth_token);
      return token;
    },
    'a suspended user': () => {
      double.suspend(person('mallory'));
      return double.tokenFor(person('mallory'), consumer);
    },
    'text that is no token': () => ({
      oauth_token: 'text that is no token ", oauth_x="1',
      oauth_token_secret: 'and no secret either: %00 &=',
    }),
    'a code used before': async () => {
      const credential = codeOf('ada');
      await verifier.verify(credential, { signal: AbortSignal.timeout(5000) });
      return credential;
    },
    'a code with another verifier': () => ({ ...codeOf('ada'), code_verifier: 'x'.repeat(43) }),
    'a code for another redirect URI': () => ({ ...codeOf('ada'), redirect_uri: redirectUris[1]! }),
    'a code for a redirect URI that is not listed': () =>
      codeOf('ada', { redirectUri: 'https://app.example/callback/' }),
    'a code of another client': () => codeOf('ada', { client: otherClient }),
    'a code without the scopes it needs': () => codeOf('ada', { scope: 'tweet.read' }),
    'text that is no code': () => ({ ...codeOf('ada'), code: 'text that is no code' }),
  };

  return {
    verifier,
    credentialOf: (name) =>
      Promise.resolve(form === 'codes' ? codeOf(name) : double.tokenFor(person(name), consumer)),
    refused: (name) => Promise.resolve(refused[name]!()),
    goDown: () => double.goDown(),
    comeBack: () => double.comeBack(),
    stall: () => Promise.resolve(double.stall()),
    talkRubbish: () => Promise.resolve(double.talkRubbish()),
    verifierOfRefusedAddress: new TwitterKind(guarded, clock).open(definition),
    secrets: [consumer.secret, client.secret!],
    async close() {
      await Promise.all([outbound.close(), guarded.close()]);
      await double.close();
    },
  };
}

function aPerson(name: string, index: number) {
  return {
    // Past 2^53, one apart: as doubles they are one and the same.
    id: `90071992547409${93 + index}`,
    name,
    screenName: `${name}_on_x`,
    email: `${name}@example.com`,
  };
}
