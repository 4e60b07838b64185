import { randomBytes } from 'node:crypto';
import type { OutboundClient, OutboundResponse } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { oauth1Authorization } from './oauth1-signature.js';
import type { OAuth1Token } from './twitter.credential.js';
import { isAboutThePerson, isTrouble, refusalOf, type Refusal } from './x-answer.js';
import { faultOf, userOfV1, userOfV2, type XUser } from './x-user.js';

export interface ConsumerKeys {
  readonly consumerKey: string;
  readonly consumerSecret: string;
}

/** For how long API 1.1 is left alone after X said that it is closed to the app. */
const CLOSED_MILLISECONDS = 600_000;

/**
 * Asks X, with a signature of our consumer, who is behind a token. The signature is what binds the token to our app:
 * X refuses tokens that another consumer was given, and a token without its own secret.
 */
export class XSignedUsers {
  private v1ClosedUntil = -Infinity;

  constructor(
    private readonly apiUrl: URL,
    private readonly keys: ConsumerKeys,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  /** @throws BrokerError as `verify`. */
  async of(token: OAuth1Token, signal: AbortSignal): Promise<XUser> {
    return (await this.ofV1(token, signal)) ?? userOfV2(await this.ask(V2, token, signal));
  }

  /** The user by API 1.1, which knows the e-mail address; null where the app's plan does not include it. */
  private async ofV1(token: OAuth1Token, signal: AbortSignal): Promise<XUser | null> {
    if (this.clock.monotonic() < this.v1ClosedUntil) return null;
    const answer = await this.ask(V1, token, signal);
    if (answer.status === 200) return userOfV1(answer);
    const refusal = refusalOf(answer);
    if (!mayBeClosed(refusal)) throw faultOf(answer);
    // Only for what is no one person's doing: nobody can take API 1.1 away from the others.
    if (isClosed(refusal)) this.v1ClosedUntil = this.clock.monotonic() + CLOSED_MILLISECONDS;
    return null;
  }

  private ask(path: string, token: OAuth1Token, signal: AbortSignal): Promise<OutboundResponse> {
    const url = new URL(path, this.apiUrl);
    const authorization = oauth1Authorization(
      { method: 'GET', url },
      { ...this.keys, token: token.oauth_token, tokenSecret: token.oauth_token_secret },
      { nonce: randomBytes(16).toString('hex'), timestampSeconds: Math.floor(this.clock.now() / 1000) },
    );
    return this.outbound.send({ url, headers: { authorization }, signal });
  }
}

const V1 = '/1.1/account/verify_credentials.json?include_email=true&skip_status=true&include_entities=false';
const V2 = '/2/users/me?user.fields=profile_image_url,name,username';

function mayBeClosed(refusal: Refusal): boolean {
  const { status } = refusal;
  if (isTrouble(refusal) || isAboutThePerson(refusal)) return false;
  return status === 403 || status === 404 || status === 410;
}

/** Error 453: not in this plan; 34: no such page. */
function isClosed({ status, code }: Refusal): boolean {
  return status === 410 || code === 453 || code === 34;
}
