import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import { parseExactNumbers } from '../../identity/exact-json.js';
import type { VerifyOptions } from '../../identity/identity-verifier.js';
import { toldCheck, type Check } from '../../identity/told-check.js';
import { verifyIdToken } from '../../identity/verify-id-token.js';
import type { OutboundClient, OutboundTls } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import type { Claims } from '../claims/claims-identity.js';
import { Introspection } from '../introspection/introspection.js';
import { authMethodOf, type Discovered } from './oidc-discovery.js';
import type { OidcOptions } from './oidc.options.js';

/** https://developers.google.com/identity/protocols/oauth2/openid-connect; as Google's own libraries ask it. */
export const GOOGLE_TOKENINFO = new URL('https://oauth2.googleapis.com/tokeninfo');

/** RFC 9068 §2.1. */
const ACCESS_TOKEN_TYPE = ['at+jwt'];

const CHECKS = {
  clientId: { name: 'client_id', reason: 'issued to another client' },
  person: { name: 'sub', reason: 'it is of a client, not of a person' },
  aud: { name: 'aud', reason: 'another audience' },
  azp: { name: 'azp', reason: 'issued to another client' },
  exp: { name: 'exp', reason: 'expired' },
} as const satisfies Record<string, Check>;

const tokeninfoSchema = z.looseObject({
  aud: z.string(),
  azp: z.string().optional(),
  sub: z.string(),
  exp: z.union([z.string().regex(/^\d{1,12}$/), z.number()]).transform(Number),
});

/** What an access token says of a person, once it is known to be made for us. */
export interface AccessTokenFacts {
  readonly claims: Claims;
  readonly authTime: Date;
}

/**
 * Finds out whether an access token was made for the operator's own clients, in the one way that the definition names.
 * Anybody can get the access tokens of others: by having them sign in to an app of their own.
 */
export class AccessTokens {
  constructor(
    private readonly options: OidcOptions,
    private readonly outbound: OutboundClient,
    private readonly tls: OutboundTls | undefined,
    private readonly clock: Clock,
  ) {}

  /** @throws BrokerError `invalid_credentials` unless it is; as whatever is asked. */
  async inspect(token: string, discovered: Discovered, options: VerifyOptions): Promise<AccessTokenFacts> {
    switch (this.options.access_tokens) {
      case 'jwt':
        return this.byItself(token, discovered, options);
      case 'introspection':
        return this.byIntrospection(token, discovered, options);
      case 'google_tokeninfo':
        return this.byGoogle(token, options);
      case 'off':
        throw new Error('access tokens are off');
    }
  }

  private async byItself(
    token: string,
    { keys }: Discovered,
    options: VerifyOptions,
  ): Promise<AccessTokenFacts> {
    const { issuers, algorithms, access_token_audiences: audiences = [], audiences: clients } = this.options;
    const { claims, authTime } = await verifyIdToken(token, {
      keys,
      issuers,
      audiences,
      clients,
      algorithms,
      types: ACCESS_TOKEN_TYPE,
      clock: this.clock,
      ...options,
    });
    // Some servers say it as ID tokens do.
    const clientId = claims['client_id'] ?? claims['azp'];
    const isOurs = typeof clientId === 'string' && clients.includes(clientId);
    toldCheck(options.trace, CHECKS.clientId, isOurs, clients, clientId);
    // RFC 9068 §2.2: a client that gets a token for itself is its subject.
    toldCheck(options.trace, CHECKS.person, claims['sub'] !== clientId, 'a person', claims['sub']);
    return { claims, authTime };
  }

  private async byIntrospection(
    token: string,
    { metadata }: Discovered,
    options: VerifyOptions,
  ): Promise<AccessTokenFacts> {
    const { client_id, client_secret, client_auth, audiences, access_token_audiences } = this.options;
    const { introspection_endpoint: url, token_endpoint_auth_methods_supported: methods } = metadata;
    if (url === undefined || client_secret === undefined) {
      throw new BrokerError('identity_provider_misconfigured', {
        cause: new Error('the provider has no introspection endpoint'),
      });
    }
    const introspection = new Introspection(
      {
        url: new URL(url),
        auth: { kind: authMethodOf(client_auth, methods), clientId: client_id, clientSecret: client_secret },
        audiences: access_token_audiences,
        clientIds: audiences,
        issuer: undefined,
        tokenTypeHint: 'access_token',
        tls: this.tls,
      },
      this.outbound,
      this.clock,
    );
    return introspection.inspect(token, options);
  }

  private async byGoogle(token: string, { signal, trace }: VerifyOptions): Promise<AccessTokenFacts> {
    const { status, body } = await this.outbound.send({
      method: 'POST',
      url: GOOGLE_TOKENINFO,
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${token}` },
      body: '',
      signal,
      ...(trace && { trace: { to: trace, purpose: 'introspection' } }),
    });
    if (status === 400 || status === 401) {
      throw new BrokerError('invalid_credentials', { cause: new Error('Google does not know the token') });
    }
    const facts = status === 200 ? tokeninfoSchema.safeParse(objectIn(body)) : null;
    if (!facts?.success) {
      throw new BrokerError('identity_provider_unavailable', {
        cause: new Error(`Google answers with status ${status}`),
      });
    }
    const { audiences } = this.options;
    const { aud, azp, exp } = facts.data;
    toldCheck(trace, CHECKS.aud, audiences.includes(aud), audiences, aud);
    if (azp !== undefined) toldCheck(trace, CHECKS.azp, audiences.includes(azp), audiences, azp);
    toldCheck(trace, CHECKS.exp, this.clock.now() < exp * 1000, 'a time to come', exp);
    // Here, and not in its ID tokens, Google writes every value as a text.
    const claims = { ...facts.data, email_verified: facts.data['email_verified'] === 'true' };
    return { claims, authTime: new Date(this.clock.now()) };
  }
}

function objectIn(body: Buffer): unknown {
  try {
    return parseExactNumbers(body);
  } catch {
    return undefined;
  }
}
