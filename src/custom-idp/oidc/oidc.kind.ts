import { Injectable } from '@nestjs/common';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { Secrets } from '../../secrets/secrets.js';
import { Clock } from '../../time/clock.js';
import { oidcOptionsSchema, oidcWarnings, type OidcOptions } from './oidc.options.js';
import { OidcVerifier } from './oidc.verifier.js';
import { presets } from './presets.js';

/** OpenID providers: ID tokens that apps got, access tokens made for us, and browsers sent there and back. */
@Injectable()
export class OidcKind implements VerifierKind<OidcOptions> {
  readonly kind = 'oidc';
  readonly reservedSlug = null;
  readonly defaults = { trustedForEmail: false, trustedForPhone: false };
  readonly optionsSchema = oidcOptionsSchema;
  readonly secretPaths = ['client_secret', 'apple.private_key', 'tls.client_key'];

  constructor(
    private readonly outbound: OutboundClient,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
  ) {}

  /** Where exactly the issuer's document says. */
  secretDestinations({ authority }: OidcOptions): readonly string[] {
    return [new URL(authority).origin];
  }

  destinations({ authority, preset, tenantIssuer, issuer }: OidcOptions): readonly URL[] {
    const isUsual = preset !== undefined && presets[preset].issuer === (tenantIssuer ?? issuer);
    return isUsual ? [] : [new URL(authority)];
  }

  warnings(options: OidcOptions): readonly string[] {
    return oidcWarnings(options);
  }

  open(definition: ProviderDefinition<OidcOptions>): IdentityVerifier {
    return new OidcVerifier(definition, this.outbound, this.secrets, this.clock);
  }
}
