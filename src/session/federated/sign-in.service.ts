import { Injectable } from '@nestjs/common';
import type { Application } from '../../applications/application.js';
import { BrokerError } from '../../errors/broker-error.js';
import { DomainEvents } from '../../events/domain-events.js';
import { inputError } from '../../http/input.js';
import { ProviderCalls } from '../../identity-providers/provider-calls.js';
import { ProviderDirectory, type OpenProvider } from '../../identity-providers/provider-directory.js';
import { takesPasswords, type TypedPassword } from '../../identity/identity-verifier.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { LinkingPolicy } from '../../identity/linking-policy.js';
import { Throttle } from '../../throttle/throttle.js';

/** What an identity is wanted for. Some providers are for linking alone. */
export type Purpose = 'sign_in' | 'link';

/** An identity as its provider proved it, and what the operator wants done with it. */
export interface ProvenIdentity {
  readonly identity: VerifiedIdentity;
  readonly policy: LinkingPolicy;
}

export interface ForeignCredential {
  /** The slug of the provider. */
  readonly provider: string;
  /** As the client sent it. */
  readonly credential: unknown;
}

/** Proves foreign credentials, before any transaction is open. What comes of the identity, `SessionService` decides. */
@Injectable()
export class SignInService {
  constructor(
    private readonly directory: ProviderDirectory,
    private readonly calls: ProviderCalls,
    private readonly throttle: Throttle,
    private readonly events: DomainEvents,
  ) {}

  /**
   * @param address the client's, by which refused tries are counted.
   * @throws BrokerError `unknown_identity_provider`, `provider_link_only`, `validation_failed` (the credential is not
   *   of this provider's form), `invalid_credentials`, `too_many_requests`, `identity_provider_unavailable`,
   *   `identity_provider_misconfigured`.
   */
  async prove(
    application: Application,
    { provider: slug, credential }: ForeignCredential,
    address: string,
    purpose: Purpose,
  ): Promise<ProvenIdentity> {
    const provider = await this.open(application, slug, purpose);
    const parsed = provider.verifier.credentialSchema.safeParse(credential);
    if (!parsed.success) throw inputError(parsed.error.issues, ['credential']);
    // An answer may be remembered; without, nobody needs to be counted to be told.
    if (!provider.answers) this.calls.refuseWhileLeftAlone(provider.ref);
    return this.counted(application, provider, address, () => this.ask(provider, parsed.data));
  }

  /**
   * Hands a typed password to a provider. Tries are the caller's to count.
   *
   * @returns null when the provider refuses it, or when it is nothing that the provider takes.
   * @throws BrokerError as `prove`; `identity_provider_misconfigured` when the provider takes no passwords.
   */
  async tryPassword(
    application: Application,
    slug: string,
    typed: TypedPassword,
  ): Promise<ProvenIdentity | null> {
    const provider = await this.open(application, slug, 'sign_in');
    const { verifier } = provider;
    if (!takesPasswords(verifier)) {
      throw new BrokerError('identity_provider_misconfigured', {
        cause: new Error(
          `password_sign_in names identity provider ${provider.ref.id}, which takes no passwords`,
        ),
      });
    }
    const parsed = verifier.credentialSchema.safeParse(verifier.toCredential(typed));
    if (!parsed.success) return null;
    try {
      return { identity: await this.ask(provider, parsed.data), policy: provider.policy };
    } catch (error) {
      if (error instanceof BrokerError && error.code === 'invalid_credentials') return null;
      throw error;
    }
  }

  /** The provider, if it may be used for this. @throws BrokerError as `prove` does before it asks anybody. */
  async open(application: Application, slug: string, purpose: Purpose): Promise<OpenProvider> {
    const provider = await this.directory.open(application.id, slug);
    if (purpose === 'sign_in' && provider.policy.linkOnly) throw new BrokerError('provider_link_only');
    return provider;
  }

  private ask({ ref, verifier, answers }: OpenProvider, credential: unknown): Promise<VerifiedIdentity> {
    const ask = () => this.calls.run(ref, (signal) => verifier.verify(credential, { signal }));
    return answers ? answers.answer(credential, ask) : ask();
  }

  private async counted(
    application: Application,
    provider: OpenProvider,
    address: string,
    verify: () => Promise<VerifiedIdentity>,
  ): Promise<ProvenIdentity> {
    let refusal: BrokerError | undefined;
    const identity = await this.throttle.attemptFrom(address, () =>
      verify().catch((error: unknown) => {
        if (!(error instanceof BrokerError) || error.code !== 'invalid_credentials') throw error;
        refusal = error;
        return null;
      }),
    );
    if (identity) return { identity, policy: provider.policy };
    this.events.emit('sign-in.refused', {
      applicationId: application.id,
      provider: provider.ref.slug,
      reason: 'refused_by_provider',
    });
    throw refusal!;
  }
}
