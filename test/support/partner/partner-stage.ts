import { HttpKind } from '../../../src/custom-idp/http/http.kind.js';
import type { IdentityVerifier } from '../../../src/identity/identity-verifier.js';
import type { ProviderRef } from '../../../src/identity/verified-identity.js';
import type { NameResolver } from '../../../src/outbound/name-resolver.js';
import { OutboundClient } from '../../../src/outbound/outbound-client.js';
import { SystemClock, type Clock } from '../../../src/time/clock.js';
import { PartnerDouble } from './partner-double.js';

const OUTBOUND = {
  connectMilliseconds: 1000,
  totalMilliseconds: 3000,
  maxResponseBytes: 262144,
  connectionsPerOrigin: 20,
};

export const PARTNER: ProviderRef = { id: 1, applicationId: 1, kind: 'http', slug: 'partner', version: 1 };

/** A partner, and providers that ask it. */
export interface PartnerStage {
  readonly partner: PartnerDouble;
  readonly kind: HttpKind;
  /** Of a token in a JSON body, unless the options say otherwise. */
  readonly verifierOf: (options?: object, kind?: HttpKind) => IdentityVerifier;
  readonly close: () => Promise<void>;
}

export function outboundTowards(allow: readonly string[], names?: NameResolver): OutboundClient {
  return new OutboundClient({ ...OUTBOUND, allow: [...allow] }, names);
}

export function kindTowards(clock: Clock, ...allow: string[]): { kind: HttpKind; outbound: OutboundClient } {
  const outbound = outboundTowards(allow);
  return { kind: new HttpKind(outbound, clock), outbound };
}

export async function partnerStage(clock: Clock = new SystemClock()): Promise<PartnerStage> {
  const partner = await PartnerDouble.start();
  const { kind, outbound } = kindTowards(clock, '127.0.0.1');
  return {
    partner,
    kind,
    verifierOf(options = {}, of = kind) {
      const parsed = of.optionsSchema.parse({
        url: `${partner.url}/nested`,
        params: { token: '#{token}' },
        mapping: { uid: '#{user.id}' },
        ...options,
      });
      return of.open({ ref: PARTNER, options: parsed });
    },
    async close() {
      await outbound.close();
      await partner.goDown();
    },
  };
}
