import { BrokerError } from '../../errors/broker-error.js';
import type { RedirectCallback, RedirectRequest, RedirectStart } from '../../identity/identity-verifier.js';
import type { OutboundClient, OutboundResponse } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { runStrategy, type StrategyOutcome } from '../redirect/run-strategy.js';
import type { OAuth1Token } from './twitter.credential.js';
import { TwitterStrategy, type ObtainedToken, type RequestTokens } from './twitter.strategy.js';
import { causeOf, isAboutUs, isTrouble, refusalOf } from './x-answer.js';
import type { ConsumerKeys } from './x-signed-users.js';

/** "Sign in with X" in a browser, by OAuth 1.0a: from the request token to the access token of the person. */
export class TwitterRedirect {
  constructor(
    private readonly apiUrl: URL,
    private readonly keys: ConsumerKeys,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  /** @throws BrokerError as `startRedirect`. */
  async start(request: RedirectRequest): Promise<RedirectStart> {
    const tokens = new HandedOut();
    const outcome = await this.run(tokens, request, {}, faultOfStarting);
    // Without oauth_callback_confirmed X would not be speaking OAuth 1.0a: in version 1.0 an attacker's consent could
    // be slipped to somebody else (session fixation, the reason for 1.0a). passport then repeats the callback.
    if (outcome.kind !== 'redirect' || !tokens.given || outcome.url.searchParams.has('oauth_callback')) {
      throw rubbish();
    }
    return { url: outcome.url, state: tokens.given.token, memory: tokens.given.secret };
  }

  /** @throws BrokerError as `finishRedirect`. */
  async finish(callback: RedirectCallback): Promise<OAuth1Token> {
    const { parameters, state, memory } = callback;
    // A person who declined comes back with `denied` in the place of both.
    const isOurs = memory !== null && parameters['oauth_token'] === state;
    if (!isOurs || !VERIFIER.test(parameters['oauth_verifier'] ?? '')) {
      throw new BrokerError('invalid_credentials');
    }
    const outcome = await this.run(new Remembered(memory), callback, parameters, faultOfFinishing);
    if (outcome.kind !== 'success') throw rubbish();
    const { token, tokenSecret } = outcome.result;
    if (!isText(token) || !isText(tokenSecret)) throw rubbish();
    return { oauth_token: token, oauth_token_secret: tokenSecret };
  }

  private async run(
    requestTokens: RequestTokens,
    { callbackUrl, signal }: Pick<RedirectRequest, 'callbackUrl' | 'signal'>,
    query: Readonly<Record<string, string>>,
    faultOf: (answer: OutboundResponse) => BrokerError,
  ): Promise<StrategyOutcome<ObtainedToken>> {
    const { apiUrl, keys, outbound, clock } = this;
    const strategy = new TwitterStrategy({
      apiUrl,
      keys,
      callbackUrl,
      requestTokens,
      outbound,
      clock,
      signal,
      faultOf,
    });
    try {
      return await runStrategy<ObtainedToken>(strategy, query, {}, signal);
    } catch (error) {
      throw brokerErrorIn(error);
    }
  }
}

/** What the browser brings goes into a header: too long a one would look like trouble at X. */
const VERIFIER = /^[\x21-\x7e]{1,512}$/;

/** The request token of a redirect that begins. */
class HandedOut implements RequestTokens {
  given: { readonly token: string; readonly secret: string } | null = null;

  set(_request: unknown, token: unknown, secret: unknown, done: (error?: unknown) => void): void {
    if (!isText(token) || !isText(secret)) return done(rubbish());
    this.given = { token, secret };
    done();
  }

  get(_request: unknown, _token: unknown, done: (error: unknown) => void): void {
    done(new BrokerError('invalid_credentials'));
  }

  destroy(_request: unknown, _token: unknown, done: () => void): void {
    done();
  }
}

/** The request token of a redirect that comes back: which one it is was checked against `state`. */
class Remembered implements RequestTokens {
  constructor(private readonly secret: string) {}

  set(_request: unknown, _token: unknown, _secret: unknown, done: (error?: unknown) => void): void {
    done(rubbish());
  }

  get(_request: unknown, _token: unknown, done: (error: unknown, secret?: string) => void): void {
    done(null, this.secret);
  }

  destroy(_request: unknown, _token: unknown, done: () => void): void {
    done();
  }
}

/** No person's credential takes part in asking for a request token: who is refused is our app. */
function faultOfStarting(answer: OutboundResponse): BrokerError {
  const refusal = refusalOf(answer);
  const cause = causeOf(refusal, 'our request for a request token');
  const isOurs = isAboutUs(refusal) || [400, 401, 403].includes(refusal.status);
  return !isTrouble(refusal) && isOurs
    ? new BrokerError('identity_provider_misconfigured', { cause })
    : new BrokerError('identity_provider_unavailable', { cause });
}

/** A request token that was used, ran out or has another verifier. */
function faultOfFinishing(answer: OutboundResponse): BrokerError {
  const refusal = refusalOf(answer);
  const cause = causeOf(refusal, 'a request token');
  if (isTrouble(refusal)) return new BrokerError('identity_provider_unavailable', { cause });
  if (isAboutUs(refusal)) return new BrokerError('identity_provider_misconfigured', { cause });
  return [400, 401, 403].includes(refusal.status)
    ? new BrokerError('invalid_credentials', { cause })
    : new BrokerError('identity_provider_unavailable', { cause });
}

/** passport wraps what went wrong (InternalOAuthError). What is not ours may hold X's text, so it goes no further. */
function brokerErrorIn(error: unknown): BrokerError {
  if (error instanceof BrokerError) return error;
  const inner = (error as { oauthError?: unknown } | null)?.oauthError;
  return inner instanceof BrokerError ? inner : rubbish();
}

function rubbish(): BrokerError {
  return new BrokerError('identity_provider_unavailable', {
    cause: new Error('X answered with what is no OAuth 1.0a token'),
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 2048;
}
