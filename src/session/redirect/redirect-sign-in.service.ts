import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Application } from '../../applications/application.js';
import { ServerConfig } from '../../config/config.js';
import { BrokerError } from '../../errors/broker-error.js';
import type { ErrorCode } from '../../errors/error-catalog.js';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import { IdentityProvidersService } from '../../identity-providers/identity-providers.service.js';
import { ProviderCalls } from '../../identity-providers/provider-calls.js';
import { redirects } from '../../identity/identity-verifier.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import { Transactions } from '../../persistence/transactions.js';
import { randomToken, sameSecret } from '../../secrets/secrets.js';
import { Clock } from '../../time/clock.js';
import { SignInService, type ProvenIdentity, type Purpose } from '../federated/sign-in.service.js';
import { RedirectSignInRepository, type RedirectSignIn } from './redirect-sign-in.repository.js';

/** People look for their password in the meantime. */
const JOURNEY_MILLISECONDS = 10 * 60 * 1000;

/** RFC 6749 §4.1.2 allows ten minutes; the app is already waiting for it. */
const CODE_MILLISECONDS = 60 * 1000;

const CALLBACK_PATH = '/v1/sign-in/callback';

export interface StartRedirect {
  readonly application: Application;
  readonly provider: string;
  readonly redirectUri: string;
  /** RFC 7636, S256, of the app's own code verifier. */
  readonly codeChallenge: string;
  readonly clientState: string | null;
  /** The session that will use what comes back; null: a new one. */
  readonly sessionId: number | null;
}

/** What the provider's leg needs when the browser is back. */
interface Leg {
  readonly slug: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  readonly state: string;
  readonly memory: string | null;
}

interface Proof {
  readonly slug: string;
  readonly identity: Omit<VerifiedIdentity, 'authTime' | 'oneTime'> & { readonly authTime: string };
}

/**
 * Sign-ins by way of a browser: the app gets an address to open, the provider sends the browser back to us, we send it
 * on to the app with a one-time code, and the app trades the code and its own verifier. Whoever sees the browser's
 * addresses, or sends somebody else's browser off, has no use for the code without the verifier (RFC 7636) and, where a
 * session sent it off, without that session.
 */
@Injectable()
export class RedirectSignInService {
  constructor(
    private readonly signIns: SignInService,
    private readonly calls: ProviderCalls,
    private readonly providers: IdentityProvidersService,
    private readonly applications: ApplicationDirectory,
    private readonly journeys: RedirectSignInRepository,
    private readonly transactions: Transactions,
    private readonly server: ServerConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns where to send the browser.
   * @throws BrokerError `validation_failed` for a redirect URI that is not registered, letter for letter;
   *   `unknown_identity_provider`, also for a provider that browsers cannot be sent to; as `verify`.
   */
  async start(request: StartRedirect): Promise<URL> {
    const { application, redirectUri } = request;
    if (!application.settings.redirect_uris.includes(redirectUri)) throw unregistered();
    const provider = await this.signIns.open(application, request.provider, 'link');
    const { verifier, ref } = provider;
    if (!redirects(verifier)) throw new BrokerError('unknown_identity_provider');
    const leg = { nonce: randomToken(32), codeVerifier: randomToken(32) };
    const started = await this.calls.run(ref, (signal) =>
      verifier.startRedirect({ ...leg, callbackUrl: this.callbackUrl, state: randomToken(32), signal }),
    );
    const { state, memory } = started;
    const sealed: Leg = { ...leg, slug: ref.slug, state, memory };
    await this.transactions.run(() =>
      this.journeys.insert(
        stateHash(state),
        {
          applicationId: application.id,
          providerId: ref.id,
          sessionId: request.sessionId,
          redirectUri,
          clientState: request.clientState,
          codeChallenge: request.codeChallenge,
          sealed,
        },
        this.clock.now() + JOURNEY_MILLISECONDS,
      ),
    );
    return started.url;
  }

  /**
   * The browser is back from the provider.
   *
   * @param parameters the callback's query; names that came twice are left out.
   * @returns where to send it on to: the app's redirect URI with `code`, or with `error`, one of our codes. Null when
   *   nothing is known of it: it was back before, or too late, or never sent off.
   */
  async callBack(parameters: Readonly<Record<string, string>>): Promise<URL | null> {
    const state = parameters['state'] ?? parameters['oauth_token'] ?? parameters['denied'];
    if (state === undefined) return null;
    const now = this.clock.now();
    const journey = await this.transactions.run(() => this.journeys.take<Leg>(stateHash(state), now));
    if (!journey) return null;
    try {
      const identity = await this.finish(journey, parameters);
      return this.backToApp(journey, { code: await this.keep(journey, identity) });
    } catch (error) {
      return this.backToApp(journey, { error: codeOf(error) });
    }
  }

  /**
   * Trades a one-time code.
   *
   * @param sessionId the session it is traded on; null: a new one will begin.
   * @throws BrokerError `invalid_credentials` for a code that is unknown, spent, late, of another application or
   *   session, or presented without its verifier, and then it is spent; `unknown_identity_provider` when the provider
   *   was disabled meanwhile; `provider_link_only`.
   */
  async trade(
    application: Application,
    { code, codeVerifier }: { readonly code: string; readonly codeVerifier: string },
    sessionId: number | null,
    purpose: Purpose,
  ): Promise<ProvenIdentity> {
    const now = this.clock.now();
    const journey = await this.transactions.run(() => this.journeys.takeByCode<Proof>(codeHash(code), now));
    const challenge = createHash('sha256').update(codeVerifier).digest('base64url');
    if (
      !journey ||
      journey.applicationId !== application.id ||
      journey.sessionId !== sessionId ||
      !sameSecret(challenge, journey.codeChallenge)
    ) {
      throw new BrokerError('invalid_credentials');
    }
    const { slug, identity } = journey.sealed;
    const provider = await this.signIns.open(application, slug, purpose);
    // Deleted and made anew under the same name: another provider vouches by now.
    if (provider.ref.id !== journey.providerId) throw new BrokerError('unknown_identity_provider');
    return {
      identity: { ...identity, provider: provider.ref, authTime: new Date(identity.authTime) },
      policy: provider.policy,
    };
  }

  private async finish(
    journey: RedirectSignIn<Leg>,
    parameters: Readonly<Record<string, string>>,
  ): Promise<VerifiedIdentity> {
    const { slug, ...leg } = journey.sealed;
    const application = await this.applications.find(journey.applicationId);
    if (!application) throw new BrokerError('unknown_identity_provider');
    const { ref, verifier } = await this.signIns.open(application, slug, 'link');
    if (ref.id !== journey.providerId || !redirects(verifier))
      throw new BrokerError('unknown_identity_provider');
    return this.calls.run(ref, (signal) =>
      verifier.finishRedirect({ ...leg, parameters, callbackUrl: this.callbackUrl, signal }),
    );
  }

  private async keep(journey: RedirectSignIn<Leg>, identity: VerifiedIdentity): Promise<string> {
    const code = randomToken(32);
    const proof: Proof = {
      slug: journey.sealed.slug,
      identity: { ...withoutOneTime(identity), authTime: identity.authTime.toISOString() },
    };
    await this.transactions.run(() =>
      this.journeys.keep(codeHash(code), { ...journey, sealed: proof }, this.clock.now() + CODE_MILLISECONDS),
    );
    return code;
  }

  private backToApp(
    { redirectUri, clientState }: RedirectSignIn<Leg>,
    answer: { readonly code: string } | { readonly error: ErrorCode },
  ): URL {
    // With an empty fragment: to an address that has none, browsers carry over what the provider appended to ours, such
    // as Facebook's `#_=_` (RFC 9110 §10.2.2), and apps that route by fragments are lost.
    const url = new URL(`${redirectUri}#`);
    for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
    if (clientState !== null) url.searchParams.set('state', clientState);
    return url;
  }

  /** From the configuration, never from what a request says its host is. */
  private get callbackUrl(): URL {
    const { publicUrl, host, port } = this.server;
    const own = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    return new URL(`${publicUrl ?? own}${CALLBACK_PATH}`);
  }
}

/** States and codes are hashed as what they are: one is never taken for the other. */
function stateHash(state: string): string {
  return createHash('sha256').update(`redirect state:${state}`).digest('base64url');
}

function codeHash(code: string): string {
  return createHash('sha256').update(`redirect code:${code}`).digest('base64url');
}

/** The code is what is traded once here. */
function withoutOneTime({ oneTime: _, ...identity }: VerifiedIdentity): Omit<VerifiedIdentity, 'oneTime'> {
  return identity;
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof BrokerError ? error.code : 'internal_error';
}

function unregistered(): BrokerError {
  return new BrokerError('validation_failed', {
    errors: [
      {
        pointer: '/redirect_uri',
        code: 'not_registered',
        detail: "must be one of the application's redirect_uris, letter for letter",
      },
    ],
  });
}
