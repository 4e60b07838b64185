import { randomBytes } from 'node:crypto';
import type { IdentityVerifier } from '../../../src/identity/identity-verifier.js';
import { OutboundClient } from '../../../src/outbound/outbound-client.js';
import { TwitterKind } from '../../../src/social-auth/twitter/twitter.kind.js';
import { twitterOptionsSchema } from '../../../src/social-auth/twitter/twitter.options.js';
import { Clock } from '../../../src/time/clock.js';
import { XDouble, type XPerson } from './x-double.js';

/** The real time of day, for signatures, and ages that a test moves. */
class AgeingClock extends Clock {
  private passed = 0;

  override now(): number {
    return Date.now() + this.offset;
  }

  offset = 0;

  override monotonic(): number {
    return this.passed;
  }

  advance({ minutes }: { minutes: number }): void {
    this.passed += minutes * 60_000;
  }
}

export const CALLBACK = new URL('https://broker.example/v1/sign-in/callback');

/** X, an app there with both kinds of keys, and the verifiers of the app's instance here. */
export async function anXStage() {
  const double = await XDouble.start();
  const clock = new AgeingClock();
  const outbound = new OutboundClient({
    allow: ['127.0.0.1'],
    connectMilliseconds: 1000,
    totalMilliseconds: 3000,
    maxResponseBytes: 262144,
    connectionsPerOrigin: 20,
  });
  const consumer = double.addConsumer({
    key: 'ourConsumerKey',
    secret: 'ourConsumerSecret',
    callbacks: [CALLBACK.href],
  });
  const client = double.addClient({
    id: 'ourClientId',
    secret: null,
    redirectUris: ['https://app.example/callback'],
  });
  const kind = new TwitterKind(outbound, clock);
  const consumerKeys = { consumer_key: consumer.key, consumer_secret: consumer.secret };
  const clientKeys = { client_id: client.id, redirect_uris: [...client.redirectUris] };
  const open = (options: object): IdentityVerifier =>
    kind.open({
      ref: { id: 1, applicationId: 1, kind: 'twitter', slug: 'twitter', version: 1 },
      options: twitterOptionsSchema.parse({ api_url: double.url, ...options }),
    });
  return {
    double,
    clock,
    consumer,
    client,
    consumerKeys,
    clientKeys,
    open,
    /** A code of our client for this person, as a credential. */
    codeOf(person: XPerson) {
      const codeVerifier = randomBytes(32).toString('base64url');
      return {
        code: double.codeFor(person, client, { codeVerifier }),
        code_verifier: codeVerifier,
        redirect_uri: client.redirectUris[0]!,
      };
    },
    async close() {
      await outbound.close();
      await double.close();
    },
  };
}

export type XStage = Awaited<ReturnType<typeof anXStage>>;

export function aPersonOnX(overrides: Partial<XPerson> = {}): XPerson {
  return {
    id: '9007199254740993',
    name: 'Ada Lovelace',
    screenName: 'ada',
    email: 'ada@example.com',
    ...overrides,
  };
}
