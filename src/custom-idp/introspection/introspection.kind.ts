import { Injectable } from '@nestjs/common';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { Clock } from '../../time/clock.js';
import {
  introspectionOptionsSchema,
  introspectionWarnings,
  type IntrospectionOptions,
} from './introspection.options.js';
import { IntrospectionVerifier } from './introspection.verifier.js';

/** Tokens of an authorization server that can be asked about each of them (RFC 7662). */
@Injectable()
export class IntrospectionKind implements VerifierKind<IntrospectionOptions> {
  readonly kind = 'introspection';
  readonly reservedSlug = null;
  readonly defaults = { trustedForEmail: false, trustedForPhone: false };
  readonly optionsSchema = introspectionOptionsSchema;
  readonly secretPaths = ['client_secret', 'bearer', 'tls.client_key'];

  constructor(
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  secretDestinations({ url }: IntrospectionOptions): readonly string[] {
    return [new URL(url).origin];
  }

  destinations({ url }: IntrospectionOptions): readonly URL[] {
    return [new URL(url)];
  }

  warnings(options: IntrospectionOptions): readonly string[] {
    return introspectionWarnings(options);
  }

  open(definition: ProviderDefinition<IntrospectionOptions>): IdentityVerifier {
    return new IntrospectionVerifier(definition, this.outbound, this.clock);
  }
}
