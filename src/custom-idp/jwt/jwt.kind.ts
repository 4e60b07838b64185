import { Injectable } from '@nestjs/common';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { Clock } from '../../time/clock.js';
import { jwtOptionsSchema, jwtWarnings, type JwtOptions } from './jwt.options.js';
import { JwtVerifier } from './jwt.verifier.js';

/** Tokens that a partner's backend signs (RFC 7519), by its public keys or by a secret it shares. */
@Injectable()
export class JwtKind implements VerifierKind<JwtOptions> {
  readonly kind = 'jwt';
  readonly reservedSlug = null;
  readonly defaults = { trustedForEmail: false, trustedForPhone: false };
  readonly optionsSchema = jwtOptionsSchema;
  readonly secretPaths = ['secret', 'tls.client_key'];

  constructor(
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  /** The shared secret goes nowhere; the key of a client certificate is used where the keys are fetched. */
  secretDestinations(options: JwtOptions): readonly string[] {
    return this.destinations(options).map(({ origin }) => origin);
  }

  destinations({ jwks_url }: JwtOptions): readonly URL[] {
    return jwks_url === undefined ? [] : [new URL(jwks_url)];
  }

  warnings(options: JwtOptions): readonly string[] {
    return jwtWarnings(options);
  }

  open(definition: ProviderDefinition<JwtOptions>): IdentityVerifier {
    return new JwtVerifier(definition, this.outbound, this.clock);
  }
}
