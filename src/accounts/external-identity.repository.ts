import { Injectable } from '@nestjs/common';
import type { ProfileClaims, VerifiedIdentity } from '../identity/verified-identity.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import type { ExternalIdentityRow } from './external-identity.entity.js';
import type { ExternalIdentity } from './external-identity.js';

type Named = ExternalIdentityRow & { readonly slug: string };

const MAX_EMAIL = 254;

/** What a stored identity says to a sign-in. */
export interface KnownIdentity {
  readonly userId: number;
  readonly disabled: boolean;
  readonly continuityHash: string | null;
  /** As the provider said last. */
  readonly email: string | null;
  readonly profile: ProfileClaims;
}

/** Keeps external identities. */
@Injectable()
export class ExternalIdentityRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Lets one transaction at a time decide about a person whom nobody knows yet, in whichever process, so that two first
   * sign-ins make one user. SQLite has one writer at a time anyway.
   */
  async lockSubject({ provider, subject }: VerifiedIdentity): Promise<void> {
    if (this.transactions.dialect !== 'postgres') return;
    await this.transactions.query('SELECT pg_advisory_xact_lock(:providerId, hashtext(:subject))', {
      providerId: provider.id,
      subject,
    });
  }

  async find({ provider, subject }: VerifiedIdentity): Promise<KnownIdentity | null> {
    const rows = await this.transactions.query<
      Pick<ExternalIdentityRow, 'user_id' | 'disabled' | 'continuity_hash' | 'email' | 'profile'>
    >(
      `SELECT user_id, disabled, continuity_hash, email, profile FROM external_identities
       WHERE application_id = :applicationId AND provider_id = :providerId AND subject = :subject`,
      { applicationId: provider.applicationId, providerId: provider.id, subject },
    );
    const row = rows[0];
    return row
      ? {
          userId: row.user_id,
          disabled: Boolean(row.disabled),
          continuityHash: row.continuity_hash,
          email: row.email,
          profile: JSON.parse(row.profile) as ProfileClaims,
        }
      : null;
  }

  /** @throws the driver's unique violation when the identity is linked already. */
  async insert(identity: VerifiedIdentity, userId: number, continuityHash: string | null): Promise<void> {
    const now = this.clock.now();
    await this.rows.insert({
      application_id: identity.provider.applicationId,
      provider_id: identity.provider.id,
      subject: identity.subject,
      user_id: userId,
      disabled: false,
      ...claimColumns(identity),
      continuity_hash: continuityHash,
      created_at: now,
      last_used_at: now,
    });
  }

  /**
   * Records a use, and what the provider says by now.
   *
   * @returns false when the identity does not lead to this user any more.
   */
  async noteUse(
    { provider, subject, ...claims }: VerifiedIdentity,
    userId: number,
    continuityHash: string | null,
  ): Promise<boolean> {
    const where = {
      application_id: provider.applicationId,
      provider_id: provider.id,
      subject,
      user_id: userId,
      disabled: false,
    };
    const used = {
      ...claimColumns(claims),
      ...(continuityHash !== null && { continuity_hash: continuityHash }),
      last_used_at: this.clock.now(),
    };
    return (await this.rows.update(where, used)).affected === 1;
  }

  /** Oldest first. */
  async listOfUser(applicationId: number, userId: number): Promise<ExternalIdentity[]> {
    const rows = await this.transactions.query<Named>(
      `SELECT e.*, p.slug FROM external_identities e JOIN identity_providers p ON p.id = e.provider_id
       WHERE e.application_id = :applicationId AND e.user_id = :userId ORDER BY e.id`,
      { applicationId, userId },
    );
    return rows.map(toExternalIdentity);
  }

  /** Identities by which the user can sign in as things are. */
  async countUsable(userId: number): Promise<number> {
    const policies = this.transactions.dialect === 'postgres' ? 'p.policies::jsonb' : 'p.policies';
    const linkOnly =
      this.transactions.dialect === 'postgres'
        ? `(${policies} ->> 'link_only') = 'true'`
        : `json_extract(${policies}, '$.link_only') = 1`;
    const rows = await this.transactions.query<{ count: number | string }>(
      `SELECT count(*) AS count FROM external_identities e JOIN identity_providers p ON p.id = e.provider_id
       WHERE e.user_id = :userId AND NOT e.disabled AND p.enabled AND NOT (${linkOnly})`,
      { userId },
    );
    return Number(rows[0]!.count);
  }

  async remove(id: number): Promise<void> {
    await this.rows.delete({ id });
  }

  async setDisabled(id: number, disabled: boolean): Promise<void> {
    await this.rows.update({ id }, { disabled });
  }

  private get rows() {
    return this.transactions.manager.getRepository<ExternalIdentityRow>('external_identities');
  }
}

function claimColumns({ email, profile }: Pick<VerifiedIdentity, 'email' | 'profile'>) {
  const usable = email && email.address.length <= MAX_EMAIL ? email : undefined;
  return {
    email: usable?.address ?? null,
    email_verified: usable?.verified ?? false,
    profile: JSON.stringify(profile),
  };
}

function toExternalIdentity(row: Named): ExternalIdentity {
  return {
    id: row.id,
    providerId: row.provider_id,
    provider: row.slug,
    subject: row.subject,
    userId: row.user_id,
    disabled: Boolean(row.disabled),
    email: row.email,
    emailVerified: Boolean(row.email_verified),
    profile: JSON.parse(row.profile) as ExternalIdentity['profile'],
    createdAt: Number(row.created_at),
    lastUsedAt: Number(row.last_used_at),
  };
}
