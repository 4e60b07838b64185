import { Injectable } from '@nestjs/common';
import type { VerifiedIdentity } from '../identity/verified-identity.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import type { ExternalIdentityRow } from './external-identity.entity.js';
import type { ExternalIdentity } from './external-identity.js';
import type { User } from './user.js';
import { toUser, USER_COLUMNS, type ReadableUserRow } from './user-row.js';

type Named = ExternalIdentityRow & { readonly slug: string };

const MAX_EMAIL = 254;

/** As for sessions: who looks at when an identity was used does not look for seconds. */
const USE_STEP_MILLISECONDS = 60_000;

/** What a stored identity says to a sign-in. */
export interface KnownIdentity {
  readonly id: number;
  readonly userId: number;
  readonly user: User;
  readonly disabled: boolean;
  readonly continuityHash: string | null;
  /** As the provider said last. */
  readonly email: string | null;
  readonly emailVerified: boolean;
  /** JSON of the claims. */
  readonly profileText: string;
  readonly lastUsedAt: number;
}

type KnownRow = ReadableUserRow & {
  readonly identity_id: number;
  readonly identity_disabled: boolean;
  readonly identity_continuity_hash: string | null;
  readonly identity_email: string | null;
  readonly identity_email_verified: boolean;
  readonly identity_profile: string;
  readonly identity_last_used_at: number;
};

const FIND_FOR_SIGN_IN = `
  SELECT ${USER_COLUMNS}, e.id AS identity_id, e.disabled AS identity_disabled, e.continuity_hash AS identity_continuity_hash,
    e.email AS identity_email, e.email_verified AS identity_email_verified, e.profile AS identity_profile,
    e.last_used_at AS identity_last_used_at
  FROM users u JOIN external_identities e ON e.user_id = u.id
  WHERE e.application_id = :applicationId AND e.provider_id = :providerId AND e.subject = :subject`;

const NOTE_USE = `
  UPDATE external_identities
  SET email = :email, email_verified = :emailVerified, profile = :profile, last_used_at = :now,
    continuity_hash = COALESCE(:continuityHash, continuity_hash)
  WHERE id = :id`;

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

  async isKnown({ provider, subject }: VerifiedIdentity): Promise<boolean> {
    const rows = await this.transactions.query(
      `SELECT 1 FROM external_identities
       WHERE application_id = :applicationId AND provider_id = :providerId AND subject = :subject`,
      { applicationId: provider.applicationId, providerId: provider.id, subject },
    );
    return rows.length === 1;
  }

  /**
   * The identity and the user whom it leads to, as they are and stay until the transaction ends: whoever unlinks,
   * disables or deletes at the same moment waits, and then ends what this transaction begins.
   */
  async findForSignIn({ provider, subject }: VerifiedIdentity): Promise<KnownIdentity | null> {
    // The user first, as who unlinks locks them. The identity at once as strongly as it is written to: two who share it
    // and then want to write would wait for each other.
    const lock = this.transactions.dialect === 'postgres' ? 'FOR SHARE OF u FOR NO KEY UPDATE OF e' : '';
    const rows = await this.transactions.query<KnownRow>(`${FIND_FOR_SIGN_IN} ${lock}`, {
      applicationId: provider.applicationId,
      providerId: provider.id,
      subject,
    });
    return rows[0] ? toKnownIdentity(rows[0]) : null;
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

  /** Records a use, and what the provider says by now. Uses close together that bring nothing new are one. */
  async noteUse(
    known: KnownIdentity,
    claims: VerifiedIdentity,
    continuityHash: string | null,
  ): Promise<void> {
    const { email, email_verified: emailVerified, profile } = claimColumns(claims);
    const now = this.clock.now();
    const isNews =
      email !== known.email ||
      emailVerified !== known.emailVerified ||
      profile !== known.profileText ||
      (continuityHash !== null && continuityHash !== known.continuityHash);
    if (!isNews && now - known.lastUsedAt < USE_STEP_MILLISECONDS) return;
    await this.transactions.query(NOTE_USE, {
      id: known.id,
      email,
      emailVerified: this.transactions.dialect === 'postgres' ? emailVerified : Number(emailVerified),
      profile,
      continuityHash,
      now,
    });
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

function toKnownIdentity(row: KnownRow): KnownIdentity {
  return {
    id: row.identity_id,
    userId: row.id,
    user: toUser(row),
    disabled: Boolean(row.identity_disabled),
    continuityHash: row.identity_continuity_hash,
    email: row.identity_email,
    emailVerified: Boolean(row.identity_email_verified),
    profileText: row.identity_profile,
    lastUsedAt: Number(row.identity_last_used_at),
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
