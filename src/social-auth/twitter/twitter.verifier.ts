import { BrokerError } from '../../errors/broker-error.js';
import type {
  IdentityVerifier,
  RedirectCallback,
  RedirectRequest,
  RedirectsToProvider,
  RedirectStart,
  VerifyOptions,
} from '../../identity/identity-verifier.js';
import type { ProviderRef, VerifiedIdentity } from '../../identity/verified-identity.js';
import type { Clock } from '../../time/clock.js';
import type { TwitterCredential } from './twitter.credential.js';
import type { TwitterRedirect } from './twitter.redirect.js';
import type { XCodeUsers } from './x-code-users.js';
import type { XSignedUsers } from './x-signed-users.js';
import type { XUser } from './x-user.js';

/** What the keys of an instance can check; at least one of the two. */
export interface XUsers {
  readonly signed: XSignedUsers | null;
  readonly ofCodes: XCodeUsers | null;
}

/** Proves people by what apps hand in: OAuth 1.0a tokens and OAuth 2 codes. */
export class TwitterVerifier implements IdentityVerifier<TwitterCredential> {
  constructor(
    private readonly provider: ProviderRef,
    readonly credentialSchema: IdentityVerifier<TwitterCredential>['credentialSchema'],
    private readonly users: XUsers,
    private readonly clock: Clock,
  ) {}

  async verify(credential: TwitterCredential, { signal }: VerifyOptions): Promise<VerifiedIdentity> {
    const user = await this.userOf(credential, signal);
    // X does not say when or how the person signed in there.
    return { provider: this.provider, ...user, amr: [], authTime: new Date(this.clock.now()) };
  }

  private async userOf(credential: TwitterCredential, signal: AbortSignal): Promise<XUser> {
    const user =
      'code' in credential
        ? await this.users.ofCodes?.of(credential, signal)
        : await this.users.signed?.of(credential, signal);
    // The schema lets in what there are keys for; this is for callers that did not ask it.
    if (!user) throw new BrokerError('invalid_credentials');
    return user;
  }
}

/** The same, and sends browsers to X. Only for instances with consumer keys. */
export class RedirectingTwitterVerifier implements IdentityVerifier<TwitterCredential>, RedirectsToProvider {
  readonly credentialSchema: IdentityVerifier<TwitterCredential>['credentialSchema'];

  constructor(
    private readonly verifier: TwitterVerifier,
    private readonly redirect: TwitterRedirect,
  ) {
    this.credentialSchema = verifier.credentialSchema;
  }

  verify(credential: TwitterCredential, options: VerifyOptions): Promise<VerifiedIdentity> {
    return this.verifier.verify(credential, options);
  }

  startRedirect(request: RedirectRequest): Promise<RedirectStart> {
    return this.redirect.start(request);
  }

  async finishRedirect(callback: RedirectCallback): Promise<VerifiedIdentity> {
    return this.verifier.verify(await this.redirect.finish(callback), callback);
  }
}
