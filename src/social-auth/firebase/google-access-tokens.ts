import { createPrivateKey } from 'node:crypto';
import type { Credential } from 'firebase-admin/app';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { OutboundClient, OutboundResponse } from '../../outbound/outbound-client.js';
import { giveUpOnAbort } from '../../outbound/give-up-on-abort.js';
import type { ServiceAccount } from './firebase.options.js';

export const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token';
/** All that looking users up needs. */
const SCOPE = 'https://www.googleapis.com/auth/identitytoolkit';
/** The library takes no token that ends sooner. */
const SPARE_MILLISECONDS = 6 * 60_000;

const answerSchema = z.looseObject({
  access_token: z.string().min(1).max(8192),
  expires_in: z.int().positive(),
});

interface AccessToken {
  readonly access_token: string;
  readonly endsAt: number;
}

/**
 * A service account's access tokens (RFC 7523 §2.1). The library could fetch them itself, but says the same of a key
 * that Google refuses and of a Google that cannot be reached, and dials without the outbound client's limits.
 */
export class GoogleAccessTokens implements Credential {
  private current: AccessToken | undefined;
  private fetching: Promise<void> | undefined;

  constructor(
    private readonly outbound: OutboundClient,
    private readonly account: ServiceAccount,
  ) {}

  /**
   * Resolves once there is a token for `getAccessToken` to hand out.
   *
   * @throws BrokerError `identity_provider_misconfigured` when Google refuses the key; `identity_provider_unavailable`.
   */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.current && this.current.endsAt - Date.now() > SPARE_MILLISECONDS) return;
    // One for all who wait: nobody's abort ends it.
    this.fetching ??= this.fetch().finally(() => (this.fetching = undefined));
    await giveUpOnAbort(this.fetching, signal);
  }

  /** What the library calls; it dials nobody. */
  getAccessToken(): Promise<{ access_token: string; expires_in: number }> {
    if (!this.current) return Promise.reject(new Error('no access token has been fetched'));
    const { access_token, endsAt } = this.current;
    return Promise.resolve({ access_token, expires_in: Math.floor((endsAt - Date.now()) / 1000) });
  }

  private async fetch(): Promise<void> {
    const answer = await this.outbound.send({
      method: 'POST',
      url: new URL(GOOGLE_TOKEN_URL),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await this.assertion(),
      }).toString(),
      // It has the outbound client's deadlines.
      signal: new AbortController().signal,
    });
    const { access_token, expires_in } = parsed(answer);
    this.current = { access_token, endsAt: Date.now() + expires_in * 1000 };
  }

  private assertion(): Promise<string> {
    return new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(this.account.client_email)
      .setAudience(GOOGLE_TOKEN_URL)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(createPrivateKey(this.account.private_key));
  }
}

function parsed({ status, body }: OutboundResponse): z.infer<typeof answerSchema> {
  const cause = new Error(`Google's token endpoint answered ${status}`);
  if (status === 400 || status === 401 || status === 403) {
    throw new BrokerError('identity_provider_misconfigured', { cause });
  }
  const answer = status === 200 ? answerSchema.safeParse(json(body)) : undefined;
  if (!answer?.success) throw new BrokerError('identity_provider_unavailable', { cause });
  return answer.data;
}

function json(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
