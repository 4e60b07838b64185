import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { BrokerError } from '../errors/broker-error.js';
import type { IdentityVerifier } from '../identity/identity-verifier.js';
import type { LinkingPolicy } from '../identity/linking-policy.js';
import type { ProviderRef } from '../identity/verified-identity.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { Clock } from '../time/clock.js';
import { AnswerCache } from './answer-cache.js';
import type { IdentityProvider, ProviderState } from './identity-provider.js';
import { IdentityProviderRepository } from './identity-provider.repository.js';
import { canBeSlug } from './provider-slug.js';
import { secretsOf, type FoundSecret } from './secret-options.js';
import { toAnswerLifetimes, toLinkingPolicy } from './provider-policies.js';

/** As for applications: a change is seen within two seconds by every process. */
const CONFIRM_AFTER_MILLISECONDS = 500;
const USABLE_MILLISECONDS = 1500;

const MAX_OPEN = 10_000;

/** A provider that can be asked. */
export interface OpenProvider {
  readonly ref: ProviderRef;
  readonly policy: LinkingPolicy;
  readonly verifier: IdentityVerifier;
  /** Where the policies want answers to be remembered. */
  readonly answers: AnswerCache | null;
}

/** A provider that somebody looks at. */
export interface OpenApart extends OpenProvider {
  readonly enabled: boolean;
  /** What of its options nobody may see. */
  readonly secrets: readonly FoundSecret[];
}

interface Kept {
  readonly state: ProviderState;
  /** Null where the stored definition is not one that this version can open. */
  readonly open: OpenProvider | null;
  /** By the monotonic clock, when the read began that confirmed it. */
  readonly confirmedAt: number;
}

/** Opened providers, each kept until its version changes, confirmed against the database twice a second while in use. */
@Injectable()
export class ProviderDirectory {
  private readonly kept = new LRUCache<string, Kept>({ max: MAX_OPEN });
  private readonly reading = new Map<string, Promise<Kept | null>>();

  constructor(
    private readonly providers: IdentityProviderRepository,
    private readonly kinds: VerifierKinds,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws BrokerError `unknown_identity_provider` when the application has none of that name or it is disabled;
   *   `identity_provider_misconfigured` when its definition cannot be opened.
   */
  async open(applicationId: number, slug: string): Promise<OpenProvider> {
    const kept = canBeSlug(slug) ? await this.find(applicationId, slug) : null;
    if (!kept?.state.enabled) throw new BrokerError('unknown_identity_provider');
    if (!kept.open) {
      throw new BrokerError('identity_provider_misconfigured', {
        cause: new Error(`the stored definition of identity provider ${kept.state.id} cannot be opened`),
      });
    }
    return kept.open;
  }

  /**
   * The provider as it is stored now, enabled or not, opened for this one time.
   *
   * @throws BrokerError `identity_provider_not_found`; `identity_provider_misconfigured` when it cannot be opened.
   */
  async openApart(applicationId: number, slug: string): Promise<OpenApart> {
    const provider = canBeSlug(slug) ? await this.providers.findBySlug(applicationId, slug) : null;
    if (!provider) throw new BrokerError('identity_provider_not_found');
    const open = this.opened(provider);
    if (!open) throw new BrokerError('identity_provider_misconfigured');
    const kind = this.kinds.find(provider.kind)!;
    const secrets = secretsOf(provider.options, kind.secretPaths, (value) => kind.isPublic?.(value) ?? false);
    return { ...open, enabled: provider.enabled, secrets };
  }

  /** Forgets what is kept, after a change made in this process. */
  drop(applicationId: number, slug: string): void {
    const key = keyOf(applicationId, slug);
    this.kept.delete(key);
    this.reading.delete(key);
  }

  private async find(applicationId: number, slug: string): Promise<Kept | null> {
    const kept = this.kept.get(keyOf(applicationId, slug));
    const age = kept ? this.clock.monotonic() - kept.confirmedAt : Infinity;
    if (!kept || age > USABLE_MILLISECONDS) return this.confirm(applicationId, slug, kept, false);
    if (age > CONFIRM_AFTER_MILLISECONDS)
      this.confirm(applicationId, slug, kept, true).catch(() => undefined);
    return kept;
  }

  /** One read at a time for each. */
  private confirm(
    applicationId: number,
    slug: string,
    kept: Kept | undefined,
    inBackground: boolean,
  ): Promise<Kept | null> {
    const key = keyOf(applicationId, slug);
    const underWay = this.reading.get(key);
    if (underWay) return underWay;
    const confirmedAt = this.clock.monotonic();
    const reading = this.read(applicationId, slug, kept, inBackground)
      .then((found) => {
        const fresh = found && { ...found, confirmedAt };
        // Dropped meanwhile: what was read may be from before the change.
        if (this.reading.get(key) !== reading) return fresh;
        if (fresh) this.kept.set(key, fresh);
        else this.kept.delete(key);
        return fresh;
      })
      .finally(() => {
        if (this.reading.get(key) === reading) this.reading.delete(key);
      });
    this.reading.set(key, reading);
    return reading;
  }

  private async read(
    applicationId: number,
    slug: string,
    kept: Kept | undefined,
    inBackground: boolean,
  ): Promise<Omit<Kept, 'confirmedAt'> | null> {
    if (inBackground) return this.providers.inBackground(() => this.read(applicationId, slug, kept, false));
    if (kept) {
      const state = await this.providers.findState(applicationId, slug);
      if (!state) return null;
      if (state.id === kept.state.id && state.version === kept.state.version)
        return { state, open: kept.open };
    }
    const provider = await this.providers.findBySlug(applicationId, slug);
    return provider && { state: provider, open: this.opened(provider) };
  }

  private opened(provider: IdentityProvider): OpenProvider | null {
    const kind = this.kinds.find(provider.kind);
    const options = kind?.optionsSchema.safeParse(provider.options);
    if (!kind || !options?.success) return null;
    const { id, applicationId, slug, version } = provider;
    const ref: ProviderRef = { id, applicationId, kind: kind.kind, slug, version };
    return {
      ref,
      policy: toLinkingPolicy(provider.policies, kind.defaults),
      verifier: kind.open({ ref, options: options.data }),
      answers: AnswerCache.of(toAnswerLifetimes(provider.policies), this.clock),
    };
  }
}

function keyOf(applicationId: number, slug: string): string {
  return `${applicationId}/${slug}`;
}
