import { Injectable } from '@nestjs/common';
import { BrokerError } from '../errors/broker-error.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { currentActor } from '../observability/request-context.js';
import { definitionChanges, type DefinitionChange } from './definition-changes.js';
import type { IdentityProvider } from './identity-provider.js';
import type { ProviderVersion, VersionAct, VersionContent, VersionFacts } from './provider-version.js';
import { ProviderVersionRepository } from './provider-version.repository.js';
import { shownOptions } from './provider-definition.js';
import { SecretFingerprints } from './secret-fingerprints.js';

/** Of each provider; older ones go as new ones come. */
export const VERSIONS_KEPT = 100;

/** What a provider's definition was, from one change to the next. */
@Injectable()
export class ProviderVersions {
  constructor(
    private readonly versions: ProviderVersionRepository,
    private readonly kinds: VerifierKinds,
    private readonly fingerprints: SecretFingerprints,
  ) {}

  /**
   * Keeps what a change made of a provider, in the change's transaction.
   *
   * @param before null for a provider that is new.
   */
  async keep(
    before: IdentityProvider | null,
    after: IdentityProvider,
    act: VersionAct,
    restoredVersion: number | null = null,
  ): Promise<void> {
    if (before) await this.keepUnrecorded(before);
    const changed = before
      ? definitionChanges(this.shown(before, before.kind), this.shown(after, after.kind))
      : [];
    await this.versions.insert(after, {
      at: after.updatedAt,
      actor: currentActor(),
      act,
      restoredVersion,
      changed: changed.map(({ path }) => path),
    });
    await this.versions.removeUpTo(after.id, after.version - VERSIONS_KEPT);
  }

  /** The latest first. */
  async list(provider: IdentityProvider): Promise<VersionFacts[]> {
    const kept = await this.versions.list(provider.id);
    return kept[0]?.version === provider.version ? kept : [unrecorded(provider), ...kept];
  }

  /** @throws BrokerError `identity_provider_version_not_found` */
  async get(provider: IdentityProvider, version: number): Promise<ProviderVersion> {
    const found = await this.versions.find(provider.id, version);
    if (found) return found;
    if (version !== provider.version) throw new BrokerError('identity_provider_version_not_found');
    return { ...unrecorded(provider), ...provider };
  }

  /** What differs between two versions. @throws BrokerError `identity_provider_version_not_found` */
  async compare(provider: IdentityProvider, from: number, to: number): Promise<DefinitionChange[]> {
    const [earlier, later] = [await this.get(provider, from), await this.get(provider, to)];
    return definitionChanges(this.shown(earlier, provider.kind), this.shown(later, provider.kind));
  }

  /** What may be shown of a version: all of it, with fingerprints for its secrets. */
  shown({ enabled, options, policies }: VersionContent, kindName: string) {
    const kind = this.kinds.find(kindName);
    return {
      enabled,
      // Of a kind that is not there nobody knows what is secret.
      options: kind ? shownOptions(options, kind, (secret) => this.fingerprints.of(secret)) : {},
      policies,
    };
  }

  /** Definitions that were saved before versions were kept, or by a process that does not keep them. */
  private async keepUnrecorded(provider: IdentityProvider): Promise<void> {
    if (await this.versions.has(provider.id, provider.version)) return;
    await this.versions.insert(provider, unrecorded(provider));
  }
}

function unrecorded({ version, updatedAt }: IdentityProvider): VersionFacts {
  const act = version === 1 ? 'created' : 'changed';
  return { version, at: updatedAt, actor: null, act, restoredVersion: null, changed: [] };
}
