import { facebookOptionsSchema } from '../../../src/social-auth/facebook/facebook.options.js';
import { FacebookVerifier } from '../../../src/social-auth/facebook/facebook.verifier.js';
import { OutboundClient } from '../../../src/outbound/outbound-client.js';
import type { Clock } from '../../../src/time/clock.js';
import { GraphDouble } from './graph-double.js';

export const OUR_APP = '1234567890123456';
export const OUR_SECOND_APP = '2234567890123456';
export const FOREIGN_APP = '9934567890123456';
export const SECRETS: Readonly<Record<string, string>> = {
  [OUR_APP]: 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1',
  [OUR_SECOND_APP]: 'b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2',
  [FOREIGN_APP]: 'c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3',
};

export const outboundTo = (...allow: string[]) =>
  new OutboundClient({
    allow,
    connectMilliseconds: 1000,
    totalMilliseconds: 3000,
    maxResponseBytes: 262_144,
    connectionsPerOrigin: 20,
  });

/** A verifier for two of the double's three apps. */
export async function facebookStage(clock: Clock) {
  const graph = await GraphDouble.start(clock);
  for (const [id, secret] of Object.entries(SECRETS)) graph.addApp(id, secret);
  const outbound = outboundTo('127.0.0.1');
  const options = (overrides: object = {}) =>
    facebookOptionsSchema.parse({
      apps: {
        [OUR_APP]: { app_secret: SECRETS[OUR_APP] },
        [OUR_SECOND_APP]: { app_secret: SECRETS[OUR_SECOND_APP] },
      },
      redirect_app_id: OUR_APP,
      graph_url: graph.url,
      dialog_url: graph.url,
      limited_login: { jwks_url: graph.jwksUrl },
      ...overrides,
    });
  const verifierOf = (overrides: object = {}, client = outbound) =>
    new FacebookVerifier({ ref: REF, options: options(overrides) }, client, clock);
  return {
    graph,
    verifier: verifierOf(),
    verifierOf,
    close: async () => {
      await outbound.close();
      await graph.close();
    },
  };
}

const REF = { id: 1, applicationId: 1, kind: 'facebook', slug: 'facebook', version: 1 };
