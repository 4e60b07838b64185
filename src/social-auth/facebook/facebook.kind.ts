import { Injectable } from '@nestjs/common';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { Clock } from '../../time/clock.js';
import {
  facebookOptionsSchema,
  facebookWarnings,
  givenAddresses,
  type FacebookOptions,
} from './facebook.options.js';
import { FacebookVerifier } from './facebook.verifier.js';

/** Facebook Login: user access tokens of the operator's own apps, Limited Login, and the browser dialog. */
@Injectable()
export class FacebookKind implements VerifierKind<FacebookOptions> {
  readonly kind = 'facebook';
  readonly reservedSlug = 'facebook';
  /** Facebook does not say whether it verified an address. */
  readonly defaults = { trustedForEmail: false, trustedForPhone: false };
  readonly optionsSchema = facebookOptionsSchema;
  readonly secretPaths = ['apps.*.app_secret'];

  constructor(
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  secretDestinations({ graph_url }: FacebookOptions): readonly string[] {
    return [new URL(graph_url).origin];
  }

  destinations(options: FacebookOptions): readonly URL[] {
    return givenAddresses(options);
  }

  warnings(options: FacebookOptions): readonly string[] {
    return facebookWarnings(options);
  }

  open(definition: ProviderDefinition<FacebookOptions>): IdentityVerifier {
    return new FacebookVerifier(definition, this.outbound, this.clock);
  }
}
