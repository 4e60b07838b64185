import { Injectable } from '@nestjs/common';
import { Transactions } from '../persistence/transactions.js';
import { Secrets } from '../secrets/secrets.js';
import { Clock } from '../time/clock.js';
import type { IdentityProviderRow } from './identity-provider.entity.js';
import type { IdentityProvider, ProviderState } from './identity-provider.js';
import { policiesSchema, type Policies } from './provider-policies.js';

export const PROVIDER_OPTIONS = { table: 'identity_providers', column: 'options' } as const;

type Options = Readonly<Record<string, unknown>>;

/** Keeps providers; their options are encrypted on the way in and decrypted on the way out. */
@Injectable()
export class IdentityProviderRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
  ) {}

  /** @throws the driver's unique violation when the application has a provider with this slug. */
  async insert(provider: {
    applicationId: number;
    kind: string;
    slug: string;
    enabled: boolean;
    options: Options;
    policies: Policies;
  }): Promise<IdentityProvider> {
    const now = this.clock.now();
    const row: Omit<IdentityProviderRow, 'id'> = {
      application_id: provider.applicationId,
      kind: provider.kind,
      slug: provider.slug,
      enabled: provider.enabled,
      version: 1,
      options: '',
      policies: JSON.stringify(provider.policies),
      created_at: now,
      updated_at: now,
    };
    const { identifiers } = await this.rows.insert(row);
    const id = (identifiers[0] as { id: number }).id;
    // The ciphertext is bound to the row's id, which exists only now.
    const options = this.sealed(id, provider.options);
    await this.rows.update({ id }, { options });
    return this.toProvider({ ...row, id, options });
  }

  async findBySlug(applicationId: number, slug: string): Promise<IdentityProvider | null> {
    const row = await this.rows.findOneBy({ application_id: applicationId, slug });
    return row && this.toProvider(row);
  }

  /** The little that says whether a provider is still as it was; nothing is decrypted. */
  async findState(applicationId: number, slug: string): Promise<ProviderState | null> {
    const rows = await this.transactions.query<
      Omit<ProviderState, 'enabled'> & { enabled: boolean | number }
    >(
      'SELECT id, version, enabled FROM identity_providers WHERE application_id = :applicationId AND slug = :slug',
      { applicationId, slug },
    );
    const row = rows[0];
    return row ? { ...row, enabled: Boolean(row.enabled) } : null;
  }

  /** Reads outside of whatever transaction it is started in; for reads that nobody waits for. */
  inBackground<T>(read: () => Promise<T>): Promise<T> {
    return this.transactions.outside(read);
  }

  /** Whether the provider is there and enabled, and stays so until the transaction ends. */
  async isInForce(id: number): Promise<boolean> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR SHARE' : '';
    const rows = await this.transactions.query(
      `SELECT 1 FROM identity_providers WHERE id = :id AND enabled ${lock}`,
      { id },
    );
    return rows.length === 1;
  }

  async list(applicationId: number): Promise<IdentityProvider[]> {
    const rows = await this.rows.find({ where: { application_id: applicationId }, order: { id: 'ASC' } });
    return rows.map((row) => this.toProvider(row));
  }

  /** @returns false when the provider is of another version by now. */
  async replace(
    { id, version }: ProviderState,
    change: { enabled: boolean; options: Options; policies: Policies },
  ): Promise<boolean> {
    const { affected } = await this.rows.update(
      { id, version },
      {
        enabled: change.enabled,
        options: this.sealed(id, change.options),
        policies: JSON.stringify(change.policies),
        version: version + 1,
        updated_at: this.clock.now(),
      },
    );
    return affected === 1;
  }

  async setEnabled({ id, version }: ProviderState, enabled: boolean): Promise<boolean> {
    const changed = { enabled, version: version + 1, updated_at: this.clock.now() };
    return (await this.rows.update({ id, version }, changed)).affected === 1;
  }

  async remove(id: number): Promise<void> {
    await this.rows.delete({ id });
  }

  private sealed(id: number, options: Options): string {
    return this.secrets.encrypt(JSON.stringify(options), { ...PROVIDER_OPTIONS, row: id });
  }

  private get rows() {
    return this.transactions.manager.getRepository<IdentityProviderRow>('identity_providers');
  }

  private toProvider(row: IdentityProviderRow): IdentityProvider {
    const options = this.secrets.decrypt(row.options, { ...PROVIDER_OPTIONS, row: row.id });
    return {
      id: row.id,
      applicationId: row.application_id,
      kind: row.kind,
      slug: row.slug,
      version: row.version,
      enabled: row.enabled,
      options: JSON.parse(options) as Options,
      policies: policiesSchema.parse(JSON.parse(row.policies)),
      createdAt: row.created_at,
      updatedAt: row.updated_at,
    };
  }
}
