import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import type { AuditAct } from '../audit/audit-acts.js';
import { BrokerError } from '../errors/broker-error.js';
import type { VerifierKind } from '../identity/verifier-kind.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { isUniqueViolation } from '../persistence/store-errors.js';
import { Transactions } from '../persistence/transactions.js';
import type { IdentityProvider } from './identity-provider.js';
import { IdentityProviderRepository } from './identity-provider.repository.js';
import {
  parseOptions,
  refuseReservedSlug,
  refuseMove,
  replaceOptions,
  toProviderDocument,
  type Definition,
  type ProviderDocument,
  type Replacement,
} from './provider-definition.js';
import { ProviderDestinations, type JudgedDestinations } from './provider-destinations.js';
import { ProviderDirectory } from './provider-directory.js';
import { parsePolicies } from './provider-policies.js';
import type { VersionAct } from './provider-version.js';
import {
  toComparisonDocument,
  toVersionDocument,
  toVersionFactsDocument,
  type ComparisonDocument,
  type VersionDocument,
  type VersionFactsDocument,
} from './provider-version-document.js';
import { ProviderVersions } from './provider-versions.js';
import { SecretFingerprints } from './secret-fingerprints.js';

interface Change {
  readonly act: VersionAct;
  readonly auditAct: AuditAct;
  readonly restoredVersion?: number;
  /** @returns false when the provider is of another version by now. */
  readonly make: (provider: IdentityProvider) => Promise<boolean>;
}

/** Makes and changes the providers of applications. Every change is seen by all processes within two seconds. */
@Injectable()
export class IdentityProvidersService {
  constructor(
    private readonly providers: IdentityProviderRepository,
    private readonly directory: ProviderDirectory,
    private readonly kinds: VerifierKinds,
    private readonly destinations: ProviderDestinations,
    private readonly versions: ProviderVersions,
    private readonly fingerprints: SecretFingerprints,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /** @throws BrokerError `validation_failed` naming each fault, `slug_taken`; then nothing was made. */
  async create(applicationId: number, definition: Definition): Promise<ProviderDocument> {
    const kind = this.kindOf(definition.kind);
    refuseReservedSlug(definition.slug, kind);
    const parsed = parseOptions(kind, definition.options);
    const judged = await this.judge({ kind, options: definition.options, parsed });
    try {
      const provider = await this.transactions.run(async () => {
        const { enabled, options, policies, slug } = definition;
        const made = await this.providers.insert({
          applicationId,
          kind: kind.kind,
          slug,
          enabled,
          options,
          policies,
        });
        await this.versions.keep(null, made, 'created');
        await this.record('identity_provider.created', made);
        this.transactions.afterEnd(() => this.directory.drop(applicationId, slug));
        return made;
      });
      return this.document(provider, judged.warnings);
    } catch (error) {
      throw isUniqueViolation(error) ? new BrokerError('slug_taken') : error;
    }
  }

  /** In the order they were made. */
  async list(applicationId: number): Promise<ProviderDocument[]> {
    return (await this.providers.list(applicationId)).map((provider) => this.document(provider));
  }

  /** @throws BrokerError `identity_provider_not_found` */
  async show(applicationId: number, slug: string): Promise<ProviderDocument> {
    return this.document(await this.get(applicationId, slug));
  }

  /**
   * Puts a definition in the place of the present one; kind and slug stay. Secrets that are left out stay too, unless
   * the address changes that they are sent to. Links and sessions stay.
   *
   * @throws BrokerError `identity_provider_not_found`, `validation_failed`, `busy`; then nothing was changed.
   */
  async replace(applicationId: number, slug: string, change: Replacement): Promise<ProviderDocument> {
    const present = await this.get(applicationId, slug);
    refuseMove(change, present);
    const judged = await this.judge(this.replaced(present, change));
    return this.changing(applicationId, slug, judged.warnings, {
      act: 'changed',
      auditAct: 'identity_provider.changed',
      make: (provider) => {
        const { kind, options, parsed } = this.replaced(provider, change);
        // Changed by somebody else meanwhile, so that other addresses are dialled than were judged.
        if (!judged.covers(kind.destinations(parsed))) return Promise.resolve(false);
        return this.providers.replace(provider, { ...change, options });
      },
    });
  }

  /** Links of a disabled provider stay, and lead nowhere until it is enabled again. */
  setEnabled(applicationId: number, slug: string, enabled: boolean): Promise<ProviderDocument> {
    const act = enabled ? 'enabled' : 'disabled';
    return this.changing(applicationId, slug, [], {
      act,
      auditAct: `identity_provider.${act}`,
      make: async (provider) =>
        provider.enabled === enabled ? true : this.providers.setEnabled(provider, enabled),
    });
  }

  /**
   * Makes the content of an earlier version that of a new one: options with their secrets, and policies. Whether the
   * provider is enabled stays: nobody lets people in again by the way.
   *
   * @throws BrokerError `identity_provider_not_found`, `identity_provider_version_not_found`; `validation_failed` when
   *   it is no definition that could be saved now; `busy`. Then nothing was changed.
   */
  async rollBack(applicationId: number, slug: string, version: number): Promise<ProviderDocument> {
    const present = await this.get(applicationId, slug);
    const kind = this.kindOf(present.kind);
    const { options, policies: stored } = await this.versions.get(present, version);
    const parsed = parseOptions(kind, options);
    const policies = parsePolicies(stored);
    const judged = await this.judge({ kind, options, parsed });
    return this.changing(applicationId, slug, judged.warnings, {
      act: 'rolled_back',
      auditAct: 'identity_provider.rolled_back',
      restoredVersion: version,
      make: (provider) => {
        // Removed and made anew meanwhile: these are another one's secrets.
        if (provider.id !== present.id) return Promise.resolve(false);
        return this.providers.replace(provider, { enabled: provider.enabled, options, policies });
      },
    });
  }

  /** What its definition was, the latest version first. @throws BrokerError `identity_provider_not_found` */
  async listVersions(applicationId: number, slug: string): Promise<VersionFactsDocument[]> {
    const provider = await this.get(applicationId, slug);
    return (await this.versions.list(provider)).map((facts) => toVersionFactsDocument(facts, provider));
  }

  /** @throws BrokerError `identity_provider_not_found`, `identity_provider_version_not_found` */
  async showVersion(applicationId: number, slug: string, version: number): Promise<VersionDocument> {
    const provider = await this.get(applicationId, slug);
    const found = await this.versions.get(provider, version);
    return toVersionDocument(found, this.versions.shown(found, provider.kind), provider);
  }

  /** @throws BrokerError `identity_provider_not_found`, `identity_provider_version_not_found` */
  async compareVersions(
    applicationId: number,
    slug: string,
    from: number,
    to: number,
  ): Promise<ComparisonDocument> {
    const provider = await this.get(applicationId, slug);
    return toComparisonDocument(provider, from, to, await this.versions.compare(provider, from, to));
  }

  /** With all its links: a provider of the same name made later inherits none. @throws BrokerError `identity_provider_not_found` */
  async remove(applicationId: number, slug: string): Promise<void> {
    await this.transactions.run(async () => {
      const provider = await this.get(applicationId, slug);
      await this.providers.remove(provider.id);
      await this.record('identity_provider.deleted', provider);
      this.transactions.afterEnd(() => this.directory.drop(applicationId, slug));
    });
  }

  /** Whether the provider is there and enabled, and stays so until the caller's transaction ends. */
  isInForce(id: number): Promise<boolean> {
    return this.providers.isInForce(id);
  }

  private async changing(
    applicationId: number,
    slug: string,
    warnings: readonly string[],
    { act, auditAct, make, restoredVersion }: Change,
  ): Promise<ProviderDocument> {
    return this.transactions.run(async () => {
      const before = await this.get(applicationId, slug);
      // Changed by somebody else since it was read: what was decided was decided about another definition.
      if (!(await make(before))) throw new BrokerError('busy', { retryAfterSeconds: 1 });
      const after = await this.get(applicationId, slug);
      if (after.version !== before.version) {
        await this.versions.keep(before, after, act, restoredVersion ?? null);
      }
      await this.record(auditAct, before, restoredVersion);
      this.transactions.afterEnd(() => this.directory.drop(applicationId, slug));
      return this.document(after, warnings);
    });
  }

  private replaced(provider: IdentityProvider, change: Replacement): ReadOptions {
    const kind = this.kindOf(provider.kind);
    const options = replaceOptions(kind, change.options, provider.options);
    return { kind, options, parsed: parseOptions(kind, options) };
  }

  private judge({ kind, options, parsed }: ReadOptions): Promise<JudgedDestinations> {
    return this.destinations.judge(kind.destinations(parsed), options);
  }

  private async get(applicationId: number, slug: string): Promise<IdentityProvider> {
    const provider = await this.providers.findBySlug(applicationId, slug);
    if (!provider) throw new BrokerError('identity_provider_not_found');
    return provider;
  }

  private kindOf(name: string): VerifierKind {
    const kind = this.kinds.find(name);
    if (kind) return kind;
    const names = this.kinds.all().map((known) => known.kind);
    throw new BrokerError('validation_failed', {
      errors: [{ pointer: '/kind', code: 'invalid_value', detail: `must be one of ${names.join(', ')}` }],
    });
  }

  private document(provider: IdentityProvider, warnings: readonly string[] = []): ProviderDocument {
    const document = toProviderDocument(provider, this.kinds.find(provider.kind), (secret) =>
      this.fingerprints.of(secret),
    );
    return { ...document, warnings: [...document.warnings, ...warnings] };
  }

  private record(
    act: AuditAct,
    { applicationId, slug, kind, version }: IdentityProvider,
    restoredVersion?: number,
  ): Promise<void> {
    const restored = restoredVersion !== undefined && { restored_version: restoredVersion };
    return this.audit.record({ act, applicationId, details: { provider: slug, kind, version, ...restored } });
  }
}

/** Options in the eyes of their kind. */
interface ReadOptions {
  readonly kind: VerifierKind;
  readonly options: Readonly<Record<string, unknown>>;
  readonly parsed: unknown;
}
