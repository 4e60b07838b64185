import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import type { AuditAct } from '../audit/audit-acts.js';
import { BrokerError } from '../errors/broker-error.js';
import type { VerifierKind } from '../identity/verifier-kind.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { isUniqueViolation } from '../persistence/store-errors.js';
import { Transactions } from '../persistence/transactions.js';
import { Secrets } from '../secrets/secrets.js';
import type { IdentityProvider } from './identity-provider.js';
import { IdentityProviderRepository } from './identity-provider.repository.js';
import {
  parseOptions,
  refuseReservedSlug,
  replaceOptions,
  toProviderDocument,
  type Definition,
  type ProviderDocument,
  type Replacement,
} from './provider-definition.js';
import { ProviderDirectory } from './provider-directory.js';

const FINGERPRINT = 'identity provider secret';
const FINGERPRINT_CHARACTERS = 12;

/** Makes and changes the providers of applications. Every change is seen by all processes within two seconds. */
@Injectable()
export class IdentityProvidersService {
  constructor(
    private readonly providers: IdentityProviderRepository,
    private readonly directory: ProviderDirectory,
    private readonly kinds: VerifierKinds,
    private readonly secrets: Secrets,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /** @throws BrokerError `validation_failed` naming each fault, `slug_taken`; then nothing was made. */
  async create(applicationId: number, definition: Definition): Promise<ProviderDocument> {
    const kind = this.kindOf(definition.kind);
    refuseReservedSlug(definition.slug, kind);
    parseOptions(kind, definition.options);
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
        await this.record('identity_provider.created', made);
        this.transactions.afterEnd(() => this.directory.drop(applicationId, slug));
        return made;
      });
      return this.document(provider);
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
   * @throws BrokerError `identity_provider_not_found`, `validation_failed`; then nothing was changed.
   */
  replace(applicationId: number, slug: string, change: Replacement): Promise<ProviderDocument> {
    return this.changing(applicationId, slug, 'identity_provider.changed', async (provider) => {
      for (const name of ['kind', 'slug'] as const) {
        if (change[name] !== undefined && change[name] !== provider[name]) {
          throw new BrokerError('validation_failed', {
            errors: [{ pointer: `/${name}`, code: 'not_allowed', detail: 'cannot be changed' }],
          });
        }
      }
      const kind = this.kindOf(provider.kind);
      const options = replaceOptions(kind, change.options, provider.options);
      return this.providers.replace(provider, { ...change, options });
    });
  }

  /** Links of a disabled provider stay, and lead nowhere until it is enabled again. */
  setEnabled(applicationId: number, slug: string, enabled: boolean): Promise<ProviderDocument> {
    const act = enabled ? 'identity_provider.enabled' : 'identity_provider.disabled';
    return this.changing(applicationId, slug, act, async (provider) =>
      provider.enabled === enabled ? true : this.providers.setEnabled(provider, enabled),
    );
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
    act: AuditAct,
    change: (provider: IdentityProvider) => Promise<boolean>,
  ): Promise<ProviderDocument> {
    return this.transactions.run(async () => {
      const provider = await this.get(applicationId, slug);
      // Changed by somebody else since it was read: what was decided was decided about another definition.
      if (!(await change(provider))) throw new BrokerError('busy', { retryAfterSeconds: 1 });
      await this.record(act, provider);
      this.transactions.afterEnd(() => this.directory.drop(applicationId, slug));
      return this.document(await this.get(applicationId, slug));
    });
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

  private document(provider: IdentityProvider): ProviderDocument {
    return toProviderDocument(provider, this.kinds.find(provider.kind), (secret) =>
      this.secrets.macs(FINGERPRINT, secret)[0]!.slice(0, FINGERPRINT_CHARACTERS),
    );
  }

  private record(act: AuditAct, { applicationId, slug, kind, version }: IdentityProvider): Promise<void> {
    return this.audit.record({ act, applicationId, details: { provider: slug, kind, version } });
  }
}
