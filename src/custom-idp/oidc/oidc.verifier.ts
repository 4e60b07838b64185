import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type {
  IdentityVerifier,
  IssuedNonce,
  IssuesNonces,
  RedirectCallback,
  RedirectRequest,
  RedirectStart,
  RedirectsToProvider,
  VerifyOptions,
} from '../../identity/identity-verifier.js';
import type { VerifiedIdToken } from '../../identity/signed-token.js';
import { toldCheck, type Check } from '../../identity/told-check.js';
import type { OneTimeUse, VerifiedIdentity } from '../../identity/verified-identity.js';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import { verifyIdToken } from '../../identity/verify-id-token.js';
import type { OutboundClient, OutboundTls } from '../../outbound/outbound-client.js';
import type { Secrets } from '../../secrets/secrets.js';
import type { Clock } from '../../time/clock.js';
import { identityOf, type Claims, type Proof } from '../claims/claims-identity.js';
import { toOutboundTls } from '../tls.options.js';
import { AccessTokens } from './access-tokens.js';
import { authorizationUrl, tradeCode } from './oidc-code-flow.js';
import { OidcDiscovery, type Discovered } from './oidc-discovery.js';
import { hasCodeFlow, withTenant, type OidcOptions } from './oidc.options.js';
import { OutboundFetch } from './outbound-fetch.js';
import { ProviderNonces } from './provider-nonces.js';
import { completed, userinfo } from './userinfo.js';

const idTokenCredential = z.strictObject({
  id_token: z.string().min(1).max(8192),
  // By itself it proves nothing: whoever has read the token has read it too. What counts is the one in the token.
  nonce: z.string().min(1).max(256).optional(),
});
const accessTokenCredential = z.strictObject({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/, 'must be an access token'),
});
type OidcCredential = z.output<typeof idTokenCredential> | z.output<typeof accessTokenCredential>;

const CHECKS = {
  nonce: { name: 'nonce', reason: 'its nonce is none that was issued here for this provider' },
  tenant: { name: 'tid', reason: 'it is of another tenant than its issuer says' },
  hostedDomain: { name: 'hd', reason: 'another hosted domain' },
} as const satisfies Record<string, Check>;

/** Verifies ID tokens and access tokens of an OpenID provider, and browsers that come back from it. */
export class OidcVerifier implements IdentityVerifier<OidcCredential>, RedirectsToProvider, IssuesNonces {
  readonly credentialSchema: z.ZodType<OidcCredential>;
  private readonly options: OidcOptions;
  private readonly tls: OutboundTls | undefined;
  private readonly fetch: OutboundFetch;
  private readonly discovery: OidcDiscovery;
  private readonly accessTokens: AccessTokens;
  private readonly nonces: ProviderNonces;

  constructor(
    private readonly definition: ProviderDefinition<OidcOptions>,
    private readonly outbound: OutboundClient,
    secrets: Secrets,
    private readonly clock: Clock,
  ) {
    const { options, ref } = definition;
    this.options = options;
    this.credentialSchema =
      options.access_tokens === 'off'
        ? idTokenCredential
        : z.union([idTokenCredential, accessTokenCredential]);
    this.tls = toOutboundTls(options.tls);
    this.fetch = new OutboundFetch(outbound, this.tls);
    this.discovery = new OidcDiscovery(options, this.fetch, this.tls, outbound, clock);
    this.accessTokens = new AccessTokens(options, outbound, this.tls, clock);
    this.nonces = new ProviderNonces(ref, secrets, clock);
  }

  async verify(credential: OidcCredential, options: VerifyOptions): Promise<VerifiedIdentity> {
    const discovered = await this.discovery.get(options);
    if ('id_token' in credential) return this.byIdToken(credential, discovered, options);
    const { access_token: token } = credential;
    const { claims, authTime } = await this.accessTokens.inspect(token, discovered, options);
    this.checkMembership(claims, options);
    const all = await this.withUserinfo(claims, token, discovered, options);
    return this.identityOf(all, { authTime }, options);
  }

  issueNonce(): IssuedNonce {
    return this.nonces.issue();
  }

  async startRedirect(request: RedirectRequest): Promise<RedirectStart> {
    if (!hasCodeFlow(this.options)) throw new BrokerError('unknown_identity_provider');
    const url = await authorizationUrl(await this.discovery.get(request), this.options, request);
    return { url, state: request.state, memory: null };
  }

  async finishRedirect(callback: RedirectCallback): Promise<VerifiedIdentity> {
    const discovered = await this.discovery.get(callback);
    const { idToken, accessToken } = await tradeCode(discovered, this.fetch, callback);
    // The library has looked at its claims; the signature and the algorithm are looked at here, as for every other.
    const expected = { ...callback, nonce: callback.nonce };
    const { claims, authTime } = await this.verifiedIdToken(idToken, discovered, expected);
    const all = await this.withUserinfo(claims, accessToken, discovered, callback);
    return this.identityOf(all, { authTime }, callback);
  }

  private async byIdToken(
    { id_token: token, nonce }: z.output<typeof idTokenCredential>,
    discovered: Discovered,
    options: VerifyOptions,
  ): Promise<VerifiedIdentity> {
    const isRequired = this.options.nonce === 'required';
    const maxAgeSeconds = isRequired ? undefined : this.options.id_token_max_age_seconds;
    const verified = await this.verifiedIdToken(token, discovered, { ...options, nonce, maxAgeSeconds });
    const oneTime = isRequired ? this.spentNonce(verified.claims, options) : verified.oneTime;
    return this.identityOf(verified.claims, { authTime: verified.authTime, oneTime }, options);
  }

  private async verifiedIdToken(
    token: string,
    { keys }: Discovered,
    {
      signal,
      trace,
      nonce,
      maxAgeSeconds,
    }: VerifyOptions & { nonce?: string | undefined; maxAgeSeconds?: number | undefined },
  ): Promise<VerifiedIdToken> {
    const { issuers, audiences, algorithms } = this.options;
    const { clock } = this;
    const expected = { keys, issuers, audiences, algorithms, nonce, maxAgeSeconds, clock, signal, trace };
    const verified = await verifyIdToken(token, expected);
    this.checkMembership(verified.claims, { trace });
    return verified;
  }

  private spentNonce({ nonce }: Claims, { trace }: VerifyOptions): OneTimeUse {
    const oneTime = this.nonces.spend(nonce);
    toldCheck(trace, CHECKS.nonce, oneTime !== null, 'one that was issued here', nonce);
    return oneTime!;
  }

  /** Which of a provider's people may sign in, where it has several sorts. */
  private checkMembership(
    { iss, tid, hd }: Claims,
    { trace }: { readonly trace?: VerifyOptions['trace'] | undefined },
  ): void {
    const { tenantIssuer, hosted_domains: domains } = this.options;
    if (tenantIssuer !== undefined) {
      const isIts = typeof tid === 'string' && iss === withTenant(tenantIssuer, tid);
      toldCheck(trace, CHECKS.tenant, isIts, 'the tenant of its issuer', tid);
    }
    if (domains) {
      toldCheck(trace, CHECKS.hostedDomain, typeof hd === 'string' && domains.includes(hd), domains, hd);
    }
  }

  private async withUserinfo(
    claims: Claims,
    accessToken: string,
    { metadata }: Discovered,
    options: VerifyOptions,
  ): Promise<Claims> {
    if (!this.options.userinfo) return claims;
    if (metadata.userinfo_endpoint === undefined) {
      throw new BrokerError('identity_provider_misconfigured', {
        cause: new Error('the provider has no userinfo endpoint'),
      });
    }
    const endpoint = { url: new URL(metadata.userinfo_endpoint), outbound: this.outbound, tls: this.tls };
    const more = await userinfo(endpoint, accessToken, claims['sub'], options);
    return completed(claims, more, this.options.email_verified_claim);
  }

  private identityOf(claims: Claims, proof: Proof, { trace }: VerifyOptions): VerifiedIdentity {
    const { wordsForVerified } = this.options;
    return identityOf(this.definition.ref, this.options, claims, { ...proof, wordsForVerified }, trace);
  }
}
