import type { z } from 'zod';
import type { VerificationTrace } from '../observability/verification-trace.js';
import type { VerifiedIdentity } from './verified-identity.js';

/** What every call to a provider is told. */
export interface VerifyOptions {
  /** Aborted when the time for the whole sign-in is up or the provider is given up on. */
  readonly signal: AbortSignal;
  /** Who watches this one, if anybody does. */
  readonly trace?: VerificationTrace;
}

/**
 * Proves who stands behind a credential. Knows nothing of users, sessions or HTTP. Immutable, belongs to one version
 * of one provider instance, and holds nothing that two instances share.
 */
export interface IdentityVerifier<Credential = unknown> {
  /** What the caller must present; the faces parse the request with it. Unknown fields are faults. */
  readonly credentialSchema: z.ZodType<Credential>;
  /**
   * Resolves only to an identity that is proven. Whatever is thrown holds neither the credential nor what the
   * provider said, except as `cause`, which no log prints in full.
   *
   * @throws BrokerError `invalid_credentials` when the credential is at fault; `identity_provider_unavailable` when
   *   the provider is down, slow or answers rubbish; `identity_provider_misconfigured` when our definition is at
   *   fault (our keys are refused, …).
   */
  verify(credential: Credential, options: VerifyOptions): Promise<VerifiedIdentity>;
}

/** A name and a password as somebody typed them. */
export interface TypedPassword {
  readonly kind: 'login' | 'email' | 'phone';
  readonly name: string;
  readonly password: string;
}

/** Added by verifiers of partners whose users have passwords. Found with `takesPasswords`. */
export interface TakesPasswords {
  /** What was typed, as this verifier's credential; its schema has the last word. */
  toCredential(typed: TypedPassword): Readonly<Record<string, unknown>>;
}

/** Whether a typed name and password can be handed to this provider. */
export function takesPasswords(verifier: IdentityVerifier): verifier is IdentityVerifier & TakesPasswords {
  return 'toCredential' in verifier;
}

/** What a browser is sent away with. All values are fresh, random and used once. */
export interface RedirectRequest extends VerifyOptions {
  /** Where the provider sends the browser back to: our callback, the same for all providers. */
  readonly callbackUrl: URL;
  /** RFC 6749 §10.12. */
  readonly state: string;
  readonly nonce: string;
  /** RFC 7636, of the leg between us and the provider; has nothing to do with the app's own. */
  readonly codeVerifier: string;
}

export interface RedirectStart {
  readonly url: URL;
  /** By what the callback will be recognised: `state`, or OAuth 1.0a's request token in its place. */
  readonly state: string;
  /** What has to be remembered until the callback (OAuth 1.0a's request token secret); kept encrypted. */
  readonly memory: string | null;
}

/** The browser is back. */
export interface RedirectCallback extends Omit<RedirectRequest, 'state'> {
  /** The callback's query, `state` included; values that came twice are left out. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly state: string;
  readonly memory: string | null;
}

/** Added by verifiers whose credential may be the outcome of a browser redirect. Found with `redirects`. */
export interface RedirectsToProvider {
  /** @throws BrokerError as `verify`. */
  startRedirect(request: RedirectRequest): Promise<RedirectStart>;
  /** The callback is a credential too. @throws BrokerError as `verify`; `invalid_credentials` when the person declined. */
  finishRedirect(callback: RedirectCallback): Promise<VerifiedIdentity>;
}

/** Whether browsers can be sent to this provider. */
export function redirects(verifier: IdentityVerifier): verifier is IdentityVerifier & RedirectsToProvider {
  return 'startRedirect' in verifier && 'finishRedirect' in verifier;
}

/** Something for an app to have put into the ID token that it asks the provider for. */
export interface IssuedNonce {
  readonly nonce: string;
  readonly expiresAt: Date;
}

/** Added by verifiers that take tokens which an app got by itself, and only with a nonce of ours. Found with `issuesNonces`. */
export interface IssuesNonces {
  /** A fresh one, of this provider alone. Nothing is kept of it; that it is used once, `VerifiedIdentity.oneTime` sees to. */
  issueNonce(): IssuedNonce;
}

/** Whether apps can have nonces for this provider. */
export function issuesNonces(verifier: IdentityVerifier): verifier is IdentityVerifier & IssuesNonces {
  return 'issueNonce' in verifier;
}
