import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { TimeModule } from '../time/time.module.js';
import { HttpKind } from './http/http.kind.js';
import { IntrospectionKind } from './introspection/introspection.kind.js';
import { JwtKind } from './jwt/jwt.kind.js';
import { OidcKind } from './oidc/oidc.kind.js';

/**
 * Owns the verifiers of custom identity providers: any partner's tokens, by configuration alone. Registers its kinds
 * and knows nothing of users and sessions; `session` meets them in the registry.
 */
@Module({
  imports: [IdentityModule, OutboundModule, TimeModule],
  providers: [HttpKind, OidcKind, JwtKind, IntrospectionKind],
})
export class CustomIdpModule {
  constructor(
    kinds: VerifierKinds,
    http: HttpKind,
    oidc: OidcKind,
    jwt: JwtKind,
    introspection: IntrospectionKind,
  ) {
    kinds.register(http);
    kinds.register(oidc);
    kinds.register(jwt);
    kinds.register(introspection);
  }
}
