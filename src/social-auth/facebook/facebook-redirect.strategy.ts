import { PassportStrategy } from '@nestjs/passport';
import { Strategy, type Profile, type StrategyOptions } from 'passport-facebook';
import type { PassportStatic } from 'passport';
import type { ErrorCode } from '../../errors/error-catalog.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import { ownPassport } from '../redirect/own-passport.js';
import type { FacebookApp, FacebookOptions } from './facebook.options.js';
import { readGraphAnswer, refusalError, type GraphRefusal } from './graph-answer.js';

/** What passport-facebook finds out: the token that the code was traded for, and whose profile Graph gives for it. */
export interface RedeemedCode {
  readonly accessToken: string;
  readonly profile: Profile;
}

export interface RedirectSettings {
  readonly options: FacebookOptions;
  readonly app: FacebookApp;
  readonly callbackUrl: URL;
  readonly state: string;
  /** The PKCE verifier, when the browser is back. */
  readonly codeVerifier: string | null;
  readonly outbound: OutboundClient;
  readonly signal: AbortSignal;
}

type DataCallback = (error: null, body: string, response: { statusCode: number }) => void;

/** The one method of the library's OAuth client that reaches for the network. */
interface Dialling {
  _request(
    method: string,
    url: string,
    headers: Record<string, string> | null,
    body: string | null,
    accessToken: string | null,
    callback: DataCallback,
  ): void;
}

/** passport-facebook for one leg of one redirect: it knows the dialog's parameters, the code's trade and the profile. */
export class FacebookRedirectStrategy extends PassportStrategy(Strategy, 'facebook') {
  private readonly settings: RedirectSettings;
  private readonly pkce: PkceMemory;

  constructor(settings: RedirectSettings) {
    const pkce = new PkceMemory(settings.state, settings.codeVerifier);
    super(strategyOptions(settings, pkce));
    this.settings = settings;
    this.pkce = pkce;
    const client = this._oauth2 as unknown as Dialling;
    client._request = (...call) => void this.dial(...call);
  }

  /** The verifier that belongs to the challenge of the address the browser is sent to. */
  get codeVerifier(): string | null {
    return this.pkce.codeVerifier;
  }

  getPassportInstance(): PassportStatic {
    return ownPassport();
  }

  /** Called by passport with what it found; whether that signs anybody in is not decided here. */
  validate(accessToken: string, _refreshToken: string, profile: Profile): RedeemedCode {
    return { accessToken, profile };
  }

  /**
   * In place of the library's own HTTP: that has no end to an answer's length and no deadline, sends the token in the
   * address, and an answer of `null` is an exception there that nobody catches, which ends the process.
   */
  private async dial(...[method, url, headers, body, token, callback]: Parameters<Dialling['_request']>) {
    try {
      const answer = readGraphAnswer(
        await this.settings.outbound.send({
          method: method === 'POST' ? 'POST' : 'GET',
          url: new URL(url),
          headers: { ...headers, ...(token !== null && { authorization: `Bearer ${token}` }) },
          ...(body !== null && body !== '' && { body }),
          signal: this.settings.signal,
        }),
      );
      if (answer.kind === 'refusal') {
        throw refusalError(answer.refusal, method === 'POST' ? blameOfTrade : blameOfProfile);
      }
      callback(null, JSON.stringify(answer.object), { statusCode: 200 });
    } catch (error) {
      this.error(error);
    }
  }
}

function strategyOptions(
  { options, app, callbackUrl }: RedirectSettings,
  store: PkceMemory,
): StrategyOptions {
  const graph = `${options.graph_url.replace(/\/$/, '')}/${options.graph_version}`;
  return {
    clientID: app.id,
    clientSecret: app.secret,
    callbackURL: callbackUrl.href,
    graphAPIVersion: options.graph_version,
    authorizationURL: `${options.dialog_url.replace(/\/$/, '')}/${options.graph_version}/dialog/oauth`,
    tokenURL: `${graph}/oauth/access_token`,
    profileURL: `${graph}/me`,
    profileFields: ['id', 'displayName', 'emails', 'photos'],
    enableProof: true,
    scope: [...options.scope],
    pkce: true,
    store: store as unknown as NonNullable<StrategyOptions['store']>,
  };
}

/** In place of a web session, which is where passport keeps these two by itself. */
class PkceMemory {
  constructor(
    private readonly state: string,
    public codeVerifier: string | null,
  ) {}

  /** The library counts the parameters. */
  store(
    _request: object,
    codeVerifier: string,
    _state: unknown,
    _meta: unknown,
    done: (error: null, state: string) => void,
  ): void {
    this.codeVerifier = codeVerifier;
    done(null, this.state);
  }

  verify(_request: object, state: string, done: (error: null, codeVerifier: string | false) => void): void {
    done(null, state === this.state && this.codeVerifier !== null ? this.codeVerifier : false);
  }
}

/** 100 is a code that is wrong, used up or not this browser's; "Error validating client secret" is 1. */
function blameOfTrade({ code, status }: GraphRefusal): ErrorCode | undefined {
  if (code === 100) return 'invalid_credentials';
  return code === 1 && status === 400 ? 'identity_provider_misconfigured' : undefined;
}

function blameOfProfile({ code }: GraphRefusal): ErrorCode | undefined {
  return code === 190 ? 'invalid_credentials' : undefined;
}
