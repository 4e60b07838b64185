import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { TimeModule } from '../time/time.module.js';
import { IntrospectionKind } from './introspection/introspection.kind.js';
import { JwtKind } from './jwt/jwt.kind.js';
import { OidcKind } from './oidc/oidc.kind.js';

/**
 * Owns the verifiers of custom identity providers: any partner's tokens, by configuration alone. Registers its kinds
 * and knows nothing of users and sessions; `session` meets them in the registry.
 */
@Module({
  imports: [IdentityModule, OutboundModule, TimeModule],
  providers: [JwtKind, IntrospectionKind, OidcKind],
})
export class CustomIdpModule {
  constructor(kinds: VerifierKinds, jwt: JwtKind, introspection: IntrospectionKind, oidc: OidcKind) {
    kinds.register(jwt);
    kinds.register(introspection);
    kinds.register(oidc);
  }
}
