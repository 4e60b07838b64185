import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-twitter';
import { type BrokerError } from '../../errors/broker-error.js';
import type { OutboundClient, OutboundResponse } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { ownPassport } from '../redirect/own-passport.js';
import type { ConsumerKeys } from './x-signed-users.js';

/** What one run of the strategy needs beyond its keys. */
export interface TwitterStrategySettings {
  readonly apiUrl: URL;
  readonly keys: ConsumerKeys;
  readonly callbackUrl: URL;
  readonly requestTokens: RequestTokens;
  readonly outbound: OutboundClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whose fault an answer is that is not 200. */
  readonly faultOf: (answer: OutboundResponse) => BrokerError;
}

/** Where the strategy keeps request tokens. It looks at how many parameters these methods have. */
export interface RequestTokens {
  set(request: unknown, token: unknown, secret: unknown, done: (error?: unknown) => void): void;
  get(request: unknown, token: unknown, done: (error: unknown, secret?: string) => void): void;
  destroy(request: unknown, token: unknown, done: (error?: unknown) => void): void;
}

/** The tokens that X gave for a person's consent: not an identity yet. */
export interface ObtainedToken {
  readonly token: unknown;
  readonly tokenSecret: unknown;
}

/**
 * passport-twitter for one request of one provider. It obtains the access token and no more: who the person is comes
 * from the same check as for tokens that apps hand in, never from what the access token's answer says beside it.
 */
export class TwitterStrategy extends PassportStrategy(Strategy) {
  constructor(settings: TwitterStrategySettings) {
    const { apiUrl, keys, callbackUrl, requestTokens } = settings;
    super({
      ...keys,
      callbackURL: callbackUrl.href,
      requestTokenURL: new URL('/oauth/request_token', apiUrl).href,
      accessTokenURL: new URL('/oauth/access_token', apiUrl).href,
      userAuthorizationURL: new URL('/oauth/authenticate', apiUrl).href,
      skipExtendedUserProfile: true,
      // Missing in its types.
      ...({ requestTokenStore: requestTokens } as object),
    });
    sendThrough((this as unknown as { _oauth: OAuthInternals })._oauth, settings, (error) =>
      (this as unknown as { error: (error: unknown) => void }).error(error),
    );
  }

  getPassportInstance() {
    return ownPassport();
  }

  validate(token: unknown, tokenSecret: unknown): ObtainedToken {
    return { token, tokenSecret };
  }
}

/** What of the `oauth` package (0.9) is used or replaced. */
interface OAuthInternals {
  _performSecureRequest: (
    token: string | null,
    tokenSecret: string | null,
    method: string,
    url: string,
    parameters: Readonly<Record<string, string>>,
    body: unknown,
    contentType: unknown,
    done: (error: unknown, data?: string) => void,
  ) => void;
  _prepareParameters(
    token: string | null,
    tokenSecret: string | null,
    method: string,
    url: string,
    parameters: Readonly<Record<string, string>>,
  ): readonly (readonly [string, string])[];
  _getTimestamp: () => number;
  _buildAuthorizationHeaders(parameters: readonly (readonly [string, string])[]): string;
}

/**
 * The package signs; `outbound` sends. Left to itself, the package would follow redirects with fresh signatures, read
 * answers of any length, wait for ever for one that breaks off, and hand X's text and tokens around in its errors.
 * An agent could not mend that.
 */
function sendThrough(
  oauth: OAuthInternals,
  { outbound, clock, signal, faultOf }: TwitterStrategySettings,
  onError: (error: unknown) => void,
): void {
  oauth._getTimestamp = () => Math.floor(clock.now() / 1000);
  oauth._performSecureRequest = (token, tokenSecret, method, url, parameters, _body, _contentType, done) => {
    // All parameters of these requests begin with oauth_, and so all of them stand in the header.
    const signed = oauth._prepareParameters(token, tokenSecret, method, url, parameters);
    const authorization = oauth._buildAuthorizationHeaders(signed);
    outbound
      .send({ method: 'POST', url: new URL(url), headers: { authorization, accept: '*/*' }, signal })
      .then(
        (answer) =>
          answer.status === 200 ? done(null, answer.body.toString('utf8')) : done(faultOf(answer)),
        (error: unknown) => done(error),
      )
      .catch(onError);
  };
}
