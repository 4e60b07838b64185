import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  SECRETS,
  OUR_APP,
  facebookStage,
  outboundTo,
} from '../../../test/support/facebook/facebook-stage.js';
import { redirects } from '../../identity/identity-verifier.js';
import { VerifierKinds } from '../../identity/verifier-kinds.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import { SystemClock } from '../../time/clock.js';
import { FacebookKind } from './facebook.kind.js';

describe('FacebookKind', () => {
  let outbound: OutboundClient;
  let kind: FacebookKind;
  beforeAll(() => {
    outbound = outboundTo('127.0.0.1');
    kind = new FacebookKind(outbound, new SystemClock());
  });
  afterAll(() => outbound.close());

  const apps = { [OUR_APP]: { app_secret: SECRETS[OUR_APP] } };

  it('is registered under its name and keeps its slug to itself', () => {
    const kinds = new VerifierKinds();
    kinds.register(kind);
    expect(kinds.find('facebook')).toBe(kind);
    expect(kind.reservedSlug).toBe('facebook');
  });

  it('trusts Facebook with no address', () => {
    expect(kind.defaults).toEqual({ trustedForEmail: false, trustedForPhone: false });
  });

  it('names the origin that secrets go to, and no other', () => {
    const options = kind.optionsSchema.parse({
      apps,
      graph_url: 'https://graph.example.org/through/here',
      dialog_url: 'https://dialog.example.org',
    });
    expect(kind.secretDestinations(options)).toEqual(['https://graph.example.org']);
    expect(kind.secretPaths).toEqual(['apps.*.app_secret']);
    expect(kind.warnings(options)).toHaveLength(2);
  });

  it('opens a verifier that browsers can be sent to, without a call to anybody', async () => {
    const { graph, close } = await facebookStage(new SystemClock());
    const options = kind.optionsSchema.parse({ apps, graph_url: graph.url });
    const ref = { id: 1, applicationId: 1, kind: 'facebook', slug: 'facebook', version: 1 };
    expect(redirects(kind.open({ ref, options }))).toBe(true);
    expect(graph.calls).toEqual([]);
    await close();
  });
});
