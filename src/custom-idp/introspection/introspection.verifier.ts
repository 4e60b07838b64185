import { z } from 'zod';
import type { IdentityVerifier, VerifyOptions } from '../../identity/identity-verifier.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { identityOf } from '../claims/claims-identity.js';
import { Introspection } from './introspection.js';
import { settingsOf, type IntrospectionOptions } from './introspection.options.js';

/** RFC 6749, appendix A.12: what an access token is made of. */
const credential = z.strictObject({ token: z.string().regex(/^[\x20-\x7e]{1,8192}$/, 'must be a token') });
type IntrospectionCredential = z.output<typeof credential>;

/** Verifies tokens by asking the authorization server that issued them. */
export class IntrospectionVerifier implements IdentityVerifier<IntrospectionCredential> {
  readonly credentialSchema = credential;
  private readonly introspection: Introspection;

  constructor(
    private readonly definition: ProviderDefinition<IntrospectionOptions>,
    outbound: OutboundClient,
    clock: Clock,
  ) {
    this.introspection = new Introspection(settingsOf(definition.options), outbound, clock);
  }

  async verify({ token }: IntrospectionCredential, options: VerifyOptions): Promise<VerifiedIdentity> {
    const { claims, authTime } = await this.introspection.inspect(token, options);
    return identityOf(this.definition.ref, this.definition.options, claims, { authTime }, options.trace);
  }
}
