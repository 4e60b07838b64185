import { Injectable } from '@nestjs/common';
import type { IdentityVerifier } from '../../identity/identity-verifier.js';
import type { KindDefaults, ProviderDefinition, VerifierKind } from '../../identity/verifier-kind.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { Clock } from '../../time/clock.js';
import { credentialSchemaFor } from './twitter.credential.js';
import { twitterOptionsSchema, type TwitterOptions } from './twitter.options.js';
import { TwitterRedirect } from './twitter.redirect.js';
import { RedirectingTwitterVerifier, TwitterVerifier } from './twitter.verifier.js';
import { XCodeUsers } from './x-code-users.js';
import { XSignedUsers } from './x-signed-users.js';

const ORIGINS_OF_X = ['https://api.x.com', 'https://api.twitter.com'];

/** Twitter, which is called X now. */
@Injectable()
export class TwitterKind implements VerifierKind<TwitterOptions> {
  readonly kind = 'twitter';
  readonly reservedSlug = 'twitter';
  readonly defaults: KindDefaults = { trustedForEmail: false, trustedForPhone: false };
  readonly optionsSchema = twitterOptionsSchema;
  readonly secretPaths = ['consumer_secret', 'client_secret'];

  constructor(
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  secretDestinations({ api_url }: TwitterOptions): readonly string[] {
    return [new URL(api_url).origin];
  }

  destinations({ api_url }: TwitterOptions): readonly URL[] {
    const url = new URL(api_url);
    return ORIGINS_OF_X.includes(url.origin) ? [] : [url];
  }

  warnings({ api_url, consumer_key }: TwitterOptions): readonly string[] {
    const { origin } = new URL(api_url);
    return [
      ...(ORIGINS_OF_X.includes(origin) ? [] : [`keys and tokens are sent to ${origin}, which is not X`]),
      ...(consumer_key === undefined ? ['browsers cannot be sent to X without consumer_key'] : []),
    ];
  }

  open({ ref, options }: ProviderDefinition<TwitterOptions>): IdentityVerifier {
    const apiUrl = new URL(options.api_url);
    const { outbound, clock } = this;
    const keys = consumerKeysOf(options);
    const client = clientOf(options);
    const verifier = new TwitterVerifier(
      ref,
      credentialSchemaFor(options),
      {
        signed: keys && new XSignedUsers(apiUrl, keys, outbound, clock),
        ofCodes: client && new XCodeUsers(apiUrl, client, outbound),
      },
      clock,
    );
    return keys
      ? new RedirectingTwitterVerifier(verifier, new TwitterRedirect(apiUrl, keys, outbound, clock))
      : verifier;
  }
}

function consumerKeysOf({ consumer_key, consumer_secret }: TwitterOptions) {
  return consumer_key === undefined || consumer_secret === undefined
    ? null
    : { consumerKey: consumer_key, consumerSecret: consumer_secret };
}

function clientOf({ client_id, client_secret, redirect_uris }: TwitterOptions) {
  return client_id === undefined
    ? null
    : { clientId: client_id, clientSecret: client_secret, redirectUris: redirect_uris ?? [] };
}
