import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type {
  IdentityVerifier,
  RedirectCallback,
  RedirectRequest,
  RedirectStart,
  RedirectsToProvider,
  VerifyOptions,
} from '../../identity/identity-verifier.js';
import { toSubject } from '../../identity/subject.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import { verifyIdToken } from '../../identity/verify-id-token.js';
import { JwksCache } from '../../outbound/jwks-cache.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { runStrategy } from '../redirect/run-strategy.js';
import { appsOf, redirectAppOf, type FacebookApp, type FacebookOptions } from './facebook.options.js';
import { pictureUrl, toClaims, type FacebookPerson } from './facebook-profile.js';
import { FacebookRedirectStrategy, type RedeemedCode } from './facebook-redirect.strategy.js';
import { Graph, type UserToken } from './graph.js';

/** For how long a Limited Login token is worth something here: it is traded right after it was issued, or not at all. */
const ID_TOKEN_MAX_AGE_SECONDS = 10 * 60;

const accessTokenCredential = z.strictObject({
  access_token: z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'must be a Facebook access token'),
});
const idTokenCredential = z.strictObject({
  id_token: z.string().min(1).max(8192),
  // The app's own: with a token that an attacker has read it proves nothing, so the token is for one use besides.
  nonce: z.string().min(1).max(256),
});
type FacebookCredential = z.output<typeof accessTokenCredential> | z.output<typeof idTokenCredential>;

/**
 * Verifies Facebook's user access tokens, Limited Login's ID tokens and browsers that come back from its dialog. A
 * token that was made for another app of Facebook never gets through: anybody can be made to sign in to one.
 */
export class FacebookVerifier implements IdentityVerifier<FacebookCredential>, RedirectsToProvider {
  readonly credentialSchema: z.ZodType<FacebookCredential>;
  private readonly apps: readonly FacebookApp[];
  private readonly redirectApp: FacebookApp;
  private readonly graph: Graph;
  private readonly keys: JwksCache;

  constructor(
    private readonly definition: ProviderDefinition<FacebookOptions>,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {
    const { options } = definition;
    this.credentialSchema = options.limited_login.enabled
      ? z.union([accessTokenCredential, idTokenCredential])
      : accessTokenCredential;
    this.apps = appsOf(options);
    this.redirectApp = redirectAppOf(options);
    this.graph = new Graph(options, outbound, clock);
    this.keys = new JwksCache(new URL(options.limited_login.jwks_url), outbound, clock);
  }

  verify(credential: FacebookCredential, { signal }: VerifyOptions): Promise<VerifiedIdentity> {
    return 'access_token' in credential
      ? this.verifyAccessToken(credential.access_token, signal)
      : this.verifyIdToken(credential.id_token, credential.nonce, signal);
  }

  async startRedirect(request: RedirectRequest): Promise<RedirectStart> {
    const strategy = this.strategy(request, null);
    const outcome = await runStrategy<RedeemedCode>(strategy, {}, {}, request.signal);
    if (outcome.kind !== 'redirect') throw new Error('a redirect began with its end');
    return { url: outcome.url, state: request.state, memory: strategy.codeVerifier };
  }

  async finishRedirect(callback: RedirectCallback): Promise<VerifiedIdentity> {
    const { code, state } = callback.parameters;
    // Whatever else the browser brings back ("error=server_error", …) is its word, not Facebook's.
    if (code === undefined || state !== callback.state) throw refused('the browser brings no code');
    const { accessToken, profile } = await this.redeem(callback, { code, state });
    const token = await this.graph.inspect(accessToken, [this.redirectApp], callback.signal);
    const [email, picture] = [profile.emails?.[0]?.value, profile.photos?.[0]?.value];
    return this.identityOf(token, profile.id, { name: profile.displayName, email, picture });
  }

  private async verifyAccessToken(accessToken: string, signal: AbortSignal): Promise<VerifiedIdentity> {
    const token = await this.graph.inspect(accessToken, this.apps, signal);
    const { id, name, email, picture } = await this.graph.profile(token, accessToken, signal);
    return this.identityOf(token, id, { name, email, picture: pictureUrl(picture) });
  }

  private async verifyIdToken(
    idToken: string,
    nonce: string,
    signal: AbortSignal,
  ): Promise<VerifiedIdentity> {
    const { claims, authTime, oneTime } = await verifyIdToken(idToken, {
      keys: this.keys,
      issuers: this.definition.options.limited_login.issuers,
      audiences: this.apps.map(({ id }) => id),
      algorithms: ['RS256'],
      nonce,
      maxAgeSeconds: ID_TOKEN_MAX_AGE_SECONDS,
      clock: this.clock,
      signal,
    });
    const { sub, name, email, email_verified: emailVerified, picture } = claims;
    return {
      provider: this.definition.ref,
      subject: toSubject(sub),
      ...toClaims({ name, email, emailVerified, picture }),
      amr: [],
      authTime,
      oneTime,
    };
  }

  private async redeem(
    callback: RedirectCallback,
    query: Readonly<Record<string, string>>,
  ): Promise<RedeemedCode> {
    try {
      const strategy = this.strategy(callback, callback.memory);
      const outcome = await runStrategy<RedeemedCode>(strategy, query, {}, callback.signal);
      if (outcome.kind === 'success') return outcome.result;
    } catch (error) {
      if (error instanceof BrokerError) throw error;
      // The library's errors hold what Facebook said, and may hold the token.
      throw new BrokerError('identity_provider_unavailable', {
        cause: new Error('Facebook gives nothing usable for the code'),
      });
    }
    throw refused('the browser brings no code');
  }

  private strategy(
    { callbackUrl, state, signal }: Pick<RedirectRequest, 'callbackUrl' | 'state' | 'signal'>,
    codeVerifier: string | null,
  ): FacebookRedirectStrategy {
    const { outbound, redirectApp: app } = this;
    const { options } = this.definition;
    return new FacebookRedirectStrategy({ options, app, callbackUrl, state, codeVerifier, outbound, signal });
  }

  /** The profile has to be of the person whose token it is. */
  private identityOf(
    { userId, authTime }: UserToken,
    profileId: unknown,
    person: FacebookPerson,
  ): VerifiedIdentity {
    if (toSubject(profileId) !== userId) throw refused('the profile is of somebody else');
    return { provider: this.definition.ref, subject: userId, ...toClaims(person), amr: [], authTime };
  }
}

function refused(reason: string): BrokerError {
  return new BrokerError('invalid_credentials', { cause: new Error(reason) });
}
