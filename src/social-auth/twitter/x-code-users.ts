import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { OutboundClient, OutboundResponse } from '../../outbound/outbound-client.js';
import type { OAuth2Code } from './twitter.credential.js';
import { causeOf, isTrouble, jsonOf, refusalOf } from './x-answer.js';
import { userOfV2, type XUser } from './x-user.js';

export interface OAuth2Client {
  readonly clientId: string;
  /** Undefined: X calls the app public. */
  readonly clientSecret: string | undefined;
  readonly redirectUris: readonly string[];
}

/** RFC 6749 §5.1, as far as it is needed. */
const tokensSchema = z.object({
  token_type: z.string().regex(/^bearer$/i),
  access_token: z.string().regex(/^[\x21-\x7e]{1,4096}$/),
  scope: z.string().optional(),
});

/** What `/2/users/me` needs. */
const SCOPES = ['tweet.read', 'users.read'];

/** RFC 6749 §5.2: what is our client's fault. */
const OUR_ERRORS = new Set(['invalid_client', 'unauthorized_client', 'unsupported_grant_type']);
/** The rest with status 400: of such a request only the credential varies. X calls most of it `invalid_request`. */
const CREDENTIAL_ERRORS = new Set(['invalid_grant', 'invalid_request', 'invalid_scope']);

/** Redeems codes that an app was given. That X redeems them for our client is what binds them to the app. */
export class XCodeUsers {
  constructor(
    private readonly apiUrl: URL,
    private readonly client: OAuth2Client,
    private readonly outbound: OutboundClient,
  ) {}

  /** @throws BrokerError as `verify`. */
  async of(credential: OAuth2Code, signal: AbortSignal): Promise<XUser> {
    // Codes for addresses that the operator did not name are codes that somebody else's page may have been given.
    if (!this.client.redirectUris.includes(credential.redirect_uri)) {
      throw new BrokerError('invalid_credentials', {
        cause: new Error('this redirect URI is not in redirect_uris'),
      });
    }
    const accessToken = await this.redeem(credential, signal);
    const url = new URL('/2/users/me?user.fields=profile_image_url,name,username', this.apiUrl);
    return userOfV2(
      await this.outbound.send({ url, headers: { authorization: `Bearer ${accessToken}` }, signal }),
    );
  }

  private async redeem(
    { code, code_verifier, redirect_uri }: OAuth2Code,
    signal: AbortSignal,
  ): Promise<string> {
    const { clientId, clientSecret } = this.client;
    const answer = await this.outbound.send({
      method: 'POST',
      url: new URL('/2/oauth2/token', this.apiUrl),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(clientSecret !== undefined && { authorization: basic(clientId, clientSecret) }),
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri,
        code_verifier,
        client_id: clientId,
      }).toString(),
      signal,
    });
    if (answer.status !== 200) throw faultOfRedeeming(answer);
    const tokens = tokensSchema.safeParse(jsonOf(answer));
    if (!tokens.success) {
      throw new BrokerError('identity_provider_unavailable', {
        cause: new Error('X answered a code with no token'),
      });
    }
    requireScopes(tokens.data.scope);
    return tokens.data.access_token;
  }
}

function faultOfRedeeming(answer: OutboundResponse): BrokerError {
  const refusal = refusalOf(answer);
  const cause = causeOf(refusal, 'a code');
  if (isTrouble(refusal)) return new BrokerError('identity_provider_unavailable', { cause });
  const { error = '' } = refusal;
  if (refusal.status === 402 || OUR_ERRORS.has(error)) {
    return new BrokerError('identity_provider_misconfigured', { cause });
  }
  return refusal.status === 400 || CREDENTIAL_ERRORS.has(error)
    ? new BrokerError('invalid_credentials', { cause })
    : new BrokerError('identity_provider_unavailable', { cause });
}

/** Whoever asks X for a code chooses its scopes; with too few, `/2/users/me` would blame us and not them. */
function requireScopes(scope: string | undefined): void {
  if (scope === undefined) return;
  const granted = scope.split(' ');
  if (!SCOPES.every((needed) => granted.includes(needed))) {
    throw new BrokerError('invalid_credentials', {
      cause: new Error('the code lacks tweet.read or users.read'),
    });
  }
}

/** RFC 6749 §2.3.1. */
function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;
}
