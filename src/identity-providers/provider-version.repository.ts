import { Injectable } from '@nestjs/common';
import type { ActorKind } from '../observability/request-context.js';
import { Transactions } from '../persistence/transactions.js';
import { Secrets } from '../secrets/secrets.js';
import type { IdentityProvider } from './identity-provider.js';
import type { ProviderVersionRow } from './provider-version.entity.js';
import type { ProviderVersion, VersionFacts } from './provider-version.js';

export const VERSION_OPTIONS = { table: 'identity_provider_versions', column: 'options' } as const;

type FactsRow = Omit<ProviderVersionRow, 'options' | 'policies' | 'enabled'>;

/** Keeps versions of definitions; their options are encrypted as those of the definitions are. */
@Injectable()
export class ProviderVersionRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly secrets: Secrets,
  ) {}

  /** The provider as it is, as its present version. */
  async insert(provider: IdentityProvider, facts: Omit<VersionFacts, 'version'>): Promise<void> {
    const row: Omit<ProviderVersionRow, 'id'> = {
      application_id: provider.applicationId,
      provider_id: provider.id,
      version: provider.version,
      act: facts.act,
      restored_version: facts.restoredVersion,
      actor_kind: facts.actor?.kind ?? null,
      actor_id: facts.actor?.id ?? null,
      changed: JSON.stringify(facts.changed),
      enabled: provider.enabled,
      options: '',
      policies: JSON.stringify(provider.policies),
      created_at: facts.at,
    };
    const { identifiers } = await this.rows.insert(row);
    const id = (identifiers[0] as { id: number }).id;
    // The ciphertext is bound to the row's id, which exists only now.
    const options = this.secrets.encrypt(JSON.stringify(provider.options), { ...VERSION_OPTIONS, row: id });
    await this.rows.update({ id }, { options });
  }

  has(providerId: number, version: number): Promise<boolean> {
    return this.rows.existsBy({ provider_id: providerId, version });
  }

  async find(providerId: number, version: number): Promise<ProviderVersion | null> {
    const row = await this.rows.findOneBy({ provider_id: providerId, version });
    if (!row) return null;
    const options = this.secrets.decrypt(row.options, { ...VERSION_OPTIONS, row: row.id });
    return {
      ...toFacts(row),
      enabled: row.enabled,
      options: JSON.parse(options) as ProviderVersion['options'],
      policies: JSON.parse(row.policies) as ProviderVersion['policies'],
    };
  }

  /** The latest first; nothing is decrypted. */
  async list(providerId: number): Promise<VersionFacts[]> {
    const rows = await this.transactions.query<FactsRow>(
      `SELECT version, act, restored_version, actor_kind, actor_id, changed, created_at
       FROM identity_provider_versions WHERE provider_id = :providerId ORDER BY version DESC`,
      { providerId },
    );
    return rows.map(toFacts);
  }

  async removeUpTo(providerId: number, version: number): Promise<void> {
    await this.transactions.query(
      'DELETE FROM identity_provider_versions WHERE provider_id = :providerId AND version <= :version',
      { providerId, version },
    );
  }

  private get rows() {
    return this.transactions.manager.getRepository<ProviderVersionRow>('identity_provider_versions');
  }
}

function toFacts(row: FactsRow): VersionFacts {
  const { actor_kind: kind, actor_id: id } = row;
  return {
    version: row.version,
    at: Number(row.created_at),
    actor: kind === null ? null : { kind: kind satisfies ActorKind, id },
    act: row.act,
    restoredVersion: row.restored_version,
    changed: JSON.parse(row.changed) as string[],
  };
}
