import {
  allowInsecureRequests,
  ClientSecretPost,
  clockTolerance,
  customFetch,
  discovery,
  None,
  type ClientAuth,
  type Configuration,
} from 'openid-client';
import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { VerifyOptions } from '../../identity/identity-verifier.js';
import type { VerificationTrace } from '../../observability/verification-trace.js';
import { JwksCache } from '../../outbound/jwks-cache.js';
import { giveUpOnAbort } from '../../outbound/give-up-on-abort.js';
import type { OutboundClient, OutboundTls } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { basicCredentials } from '../claims/basic-credentials.js';
import { isLoopbackHttp, isProviderUrl } from '../claims/provider-url.js';
import { appleClientSecret } from './apple-client-secret.js';
import { discoveryFailure, ForeignDocumentError, isForeignDocument } from './library-failure.js';
import type { OidcOptions } from './oidc.options.js';
import type { OutboundFetch } from './outbound-fetch.js';

/** For as long what was discovered is used without a look whether it still is so. */
const MAX_AGE_SECONDS = 10 * 60;
/** For as long after that it is used while the provider does not answer. */
const STALE_SECONDS = 60 * 60;
/** A provider in trouble is asked once in this time, while there is something to go on with. */
const COOLDOWN_SECONDS = 30;
const CLOCK_TOLERANCE_SECONDS = 60;

const endpoint = z.string().max(2048).refine(isProviderUrl);
const metadataSchema = z.looseObject({
  issuer: z.string(),
  jwks_uri: endpoint,
  authorization_endpoint: endpoint.optional(),
  token_endpoint: endpoint.optional(),
  userinfo_endpoint: endpoint.optional(),
  introspection_endpoint: endpoint.optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional().catch(undefined),
  authorization_response_iss_parameter_supported: z.boolean().optional().catch(undefined),
});
type Metadata = z.output<typeof metadataSchema>;

/** What a provider says of itself. */
export interface Discovered {
  readonly metadata: Metadata;
  readonly keys: JwksCache;
  /** For openid-client. */
  readonly config: Configuration;
}

/**
 * A provider's discovery document (OpenID Connect Discovery 1.0), fetched when it is needed. One request at a time;
 * while the provider does not answer, what it said before goes on for a stated while; what is of another issuer does
 * not, for nobody can say since when. Belongs to one verifier.
 */
export class OidcDiscovery {
  private current: (Discovered & { readonly fetchedAt: number }) | null = null;
  private fetching: Promise<void> | null = null;
  private triedAt = -Infinity;
  private failure: BrokerError | null = null;
  private readonly isInsecure: boolean;

  constructor(
    private readonly options: OidcOptions,
    private readonly fetch: OutboundFetch,
    private readonly tls: OutboundTls | undefined,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {
    this.isInsecure = isLoopbackHttp(options.authority);
  }

  /**
   * @throws BrokerError `identity_provider_misconfigured` when the document is of another issuer, or is not there;
   *   `identity_provider_unavailable`.
   */
  async get({ signal, trace }: VerifyOptions): Promise<Discovered> {
    if (this.age() > MAX_AGE_SECONDS && (this.mustTry() || this.mayTry())) {
      this.fetching ??= this.refresh(trace).finally(() => (this.fetching = null));
      await giveUpOnAbort(this.fetching, signal, 'the discovery document did not come in time');
    }
    if (this.current && !this.isExhausted()) return this.current;
    throw this.failure ?? unavailable('nothing was discovered');
  }

  private age(): number {
    return this.current ? this.secondsSince(this.current.fetchedAt) : Infinity;
  }

  private isExhausted(): boolean {
    return this.age() > MAX_AGE_SECONDS + STALE_SECONDS;
  }

  /** With nothing to go on with; unless it was found a moment ago that the definition is at fault. */
  private mustTry(): boolean {
    return this.isExhausted() && this.failure?.code !== 'identity_provider_misconfigured';
  }

  private mayTry(): boolean {
    return this.fetching !== null || this.secondsSince(this.triedAt) >= COOLDOWN_SECONDS;
  }

  private secondsSince(moment: number): number {
    return (this.clock.monotonic() - moment) / 1000;
  }

  private async refresh(trace: VerificationTrace | undefined): Promise<void> {
    this.triedAt = this.clock.monotonic();
    try {
      const { config, metadata } = await this.discover(trace);
      const known = this.current;
      const keys =
        known?.metadata.jwks_uri === metadata.jwks_uri
          ? known.keys
          : new JwksCache(new URL(metadata.jwks_uri), this.outbound, this.clock, this.tls);
      this.current = { config, metadata, keys, fetchedAt: this.triedAt };
      this.failure = null;
    } catch (error) {
      this.failure = discoveryFailure(error);
      if (isForeignDocument(error)) this.current = null;
    }
  }

  private async discover(trace: VerificationTrace | undefined): Promise<Omit<Discovered, 'keys'>> {
    // Of nobody's signal: those who wait for it have different ones. The client's own deadline ends it.
    const call = { purpose: 'discovery', signal: new AbortController().signal, trace };
    const { options } = this;
    const config = await this.fetch.during(call, () =>
      discovery(
        new URL(options.authority),
        options.client_id,
        { [clockTolerance]: CLOCK_TOLERANCE_SECONDS },
        this.authenticate,
        {
          [customFetch]: this.fetch.fetch,
          // Deprecated by the library to make it stand out; here it is for loopback alone.
          execute: this.isInsecure ? [allowInsecureRequests] : [],
        },
      ),
    );
    // The outbound client has a deadline of its own; the library's timers would outlive their requests.
    config.timeout = 0;
    const metadata = this.judged(config.serverMetadata(), trace);
    return { config, metadata };
  }

  /** The library compares addresses; two texts may be one address, and tokens are compared with the text. */
  private judged(given: unknown, trace: VerificationTrace | undefined): Metadata {
    const parsed = metadataSchema.safeParse(given);
    if (!parsed.success) throw unavailable('the discovery document lacks what it has to have');
    const { issuer } = parsed.data;
    const isOurs = issuer === this.options.issuer;
    trace?.check({
      name: 'issuer',
      passed: isOurs,
      detail: `expected ${this.options.issuer}, found ${issuer.slice(0, 300)}`,
    });
    if (!isOurs) throw new ForeignDocumentError('the discovery document is of another issuer');
    const endpoints = Object.entries(parsed.data).filter(([name]) => /_(endpoint|uri)$/.test(name));
    const isOpen = endpoints.some(
      ([, url]) => typeof url === 'string' && isProviderUrl(url) && isLoopbackHttp(url),
    );
    if (isOpen && !this.isInsecure)
      throw new ForeignDocumentError('the discovery document leads to plain HTTP');
    return parsed.data;
  }

  /** How we show at the token endpoint who we are. */
  private readonly authenticate: ClientAuth = (server, client, form, headers) => {
    const { client_secret, client_auth, apple, client_id } = this.options;
    const supported = server.token_endpoint_auth_methods_supported;
    const secret = apple ? appleClientSecret(apple, client_id, this.clock) : client_secret;
    if (secret === undefined) {
      None()(server, client, form, headers);
    } else if (!apple && authMethodOf(client_auth, supported) === 'basic') {
      headers.set('authorization', `Basic ${basicCredentials(client_id, secret)}`);
    } else {
      ClientSecretPost(secret)(server, client, form, headers);
    }
  };
}

/** OpenID Connect Discovery 1.0 §3: who says nothing takes HTTP Basic. */
export function authMethodOf(
  wanted: 'basic' | 'post' | undefined,
  supported: readonly string[] = ['client_secret_basic'],
): 'basic' | 'post' {
  return wanted ?? (supported.includes('client_secret_basic') ? 'basic' : 'post');
}

function unavailable(reason: string): BrokerError {
  return new BrokerError('identity_provider_unavailable', { cause: new Error(reason) });
}
