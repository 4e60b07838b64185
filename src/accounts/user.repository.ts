import { Injectable } from '@nestjs/common';
import { isAmongIds, pairsTable, toList, toPairs } from '../persistence/pairs.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import type { Identifier } from './identifiers.js';
import type { Guest, LocalCredential, Profile, ProfileInput, User } from './user.js';
import { toUser, USER_COLUMNS, type ReadableUserRow } from './user-row.js';
import type { UserRow } from './user.entity.js';

interface NewUser {
  readonly applicationId: number;
  readonly identifiers: readonly Identifier[];
  readonly profile: ProfileInput;
  readonly passwordHash: string | null;
  readonly guest: boolean;
  /** Those of the identifiers that are known to be the user's. */
  readonly verified?: readonly Identifier[];
}

/** Keeps users. Every question names the application: ids of another one's users are not there. */
@Injectable()
export class UserRepository {
  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** @throws the driver's unique violation when an identifier is taken. */
  async insert(user: NewUser): Promise<User> {
    const now = this.clock.now();
    const row: Omit<UserRow, 'id'> = {
      ...emptyRow,
      application_id: user.applicationId,
      ...identifierColumns(user.identifiers),
      ...verifiedColumns(user.verified ?? []),
      ...profileColumns(user.profile),
      password_hash: user.passwordHash,
      guest: user.guest,
      created_at: now,
      updated_at: now,
    };
    const { identifiers } = await this.rows.insert(row);
    return toUser({ ...row, id: (identifiers[0] as { id: number }).id });
  }

  async find(applicationId: number, id: number): Promise<User | null> {
    const row = await this.rows.findOneBy({ id, application_id: applicationId });
    return row && toUser(row);
  }

  async findCredential(applicationId: number, id: number): Promise<LocalCredential | null> {
    const row = await this.rows.findOne({
      where: { id, application_id: applicationId },
      select: credentialColumns,
    });
    return row && toCredential(row);
  }

  async findCredentialBy(applicationId: number, { kind, key }: Identifier): Promise<LocalCredential | null> {
    const where = { application_id: applicationId, [`${kind}_key`]: key };
    const row = await this.rows.findOne({ where, select: credentialColumns });
    return row && toCredential(row);
  }

  /**
   * The user, held as it is until the transaction ends: a password change or a disabling that comes at the same
   * moment waits, and then ends what this transaction begins.
   */
  async findLocked(
    applicationId: number,
    id: number,
  ): Promise<(User & { credentialVersion: number }) | null> {
    // SQLite has one writer at a time anyway.
    const lock = this.transactions.dialect === 'postgres' ? 'FOR SHARE' : '';
    const [row] = await this.transactions.query<ReadableUserRow>(
      `SELECT ${USER_COLUMNS} FROM users u WHERE id = :id AND application_id = :applicationId ${lock}`,
      { id, applicationId },
    );
    return row ? { ...toUser(row), credentialVersion: row.credential_version } : null;
  }

  /** The user, for this transaction alone until it ends. */
  async findExclusively(
    applicationId: number,
    id: number,
  ): Promise<(User & { hasPassword: boolean }) | null> {
    if (this.transactions.dialect === 'postgres') {
      await this.transactions.query(
        'SELECT 1 FROM users WHERE id = :id AND application_id = :applicationId FOR UPDATE',
        { id, applicationId },
      );
    }
    const row = await this.rows.findOneBy({ id, application_id: applicationId });
    return row && { ...toUser(row), hasPassword: row.password_hash !== null };
  }

  /** Who has an e-mail address or a phone number, and whether it was shown to be theirs. */
  async findHolder(
    applicationId: number,
    { kind, key }: Identifier,
  ): Promise<{ userId: number; verified: boolean } | null> {
    const row = await this.rows.findOneBy({ application_id: applicationId, [`${kind}_key`]: key });
    if (!row) return null;
    return { userId: row.id, verified: kind === 'email' ? row.email_verified : row.phone_verified };
  }

  /** Takes an unverified identifier away from who claimed it. */
  async releaseIdentifier(userId: number, kind: Identifier['kind']): Promise<void> {
    await this.rows.update(
      { id: userId, [`${kind}_verified`]: false },
      { [kind]: null, [`${kind}_key`]: null, updated_at: this.clock.now() },
    );
  }

  /** Makes a guest a user who can sign in again. What they said of themselves stays. */
  async becomeFederated(
    guest: User,
    identifiers: readonly Identifier[],
    verified: readonly Identifier[],
    profile: ProfileInput,
  ): Promise<void> {
    await this.rows.update(
      { id: guest.id },
      {
        ...identifierColumns(identifiers),
        ...verifiedColumns(verified),
        ...profileColumns(layOver(profile, guest.profile)),
        guest: false,
        updated_at: this.clock.now(),
      },
    );
  }

  async leaveGuestStatus(userId: number): Promise<void> {
    await this.rows.update({ id: userId }, { guest: false, updated_at: this.clock.now() });
  }

  /** Lays what is given over the profile. Writes only where that changes something. @returns the user as it is then. */
  async fillProfile(user: User, given: ProfileInput): Promise<User> {
    const profile = layOver(user.profile, given);
    const [before, after] = [profileColumns(user.profile), profileColumns(profile)];
    const changed = Object.entries(after).filter(([name, value]) => before[name as keyof UserRow] !== value);
    if (changed.length === 0) return user;
    const updatedAt = this.clock.now();
    await this.rows.update({ id: user.id }, { ...Object.fromEntries(changed), updated_at: updatedAt });
    return { ...user, profile, updatedAt };
  }

  /** Which of these another user of the application has. */
  async findTaken(
    applicationId: number,
    identifiers: readonly Identifier[],
    exceptUserId?: number,
  ): Promise<Identifier[]> {
    const taken: Identifier[] = [];
    for (const identifier of identifiers) {
      const holder = await this.findCredentialBy(applicationId, identifier);
      if (holder && holder.userId !== exceptUserId) taken.push(identifier);
    }
    return taken;
  }

  /**
   * Sets a password, and identifiers that come with a first one.
   *
   * @returns the new credential version, or null when `expectedVersion` is not the present one any more.
   */
  async setPassword(
    userId: number,
    expectedVersion: number,
    passwordHash: string,
    identifiers: readonly Identifier[],
  ): Promise<number | null> {
    const credentialVersion = expectedVersion + 1;
    const { affected } = await this.rows.update(
      { id: userId, credential_version: expectedVersion },
      {
        ...identifierColumns(identifiers),
        password_hash: passwordHash,
        credential_version: credentialVersion,
        guest: false,
        updated_at: this.clock.now(),
      },
    );
    return affected === 1 ? credentialVersion : null;
  }

  /** @returns false when the user is so already, or not there. */
  async setDisabled(applicationId: number, id: number, disabled: boolean): Promise<boolean> {
    // On PostgreSQL this waits for sign-ins that hold the row (`findLocked`), and later ones wait for this.
    const { affected } = await this.rows.update(
      { id, application_id: applicationId, disabled: !disabled },
      { disabled, updated_at: this.clock.now() },
    );
    return affected === 1;
  }

  /** Replaces a hash by another one of the same password. Not a change of the credential. */
  async rehash(userId: number, oldHash: string, newHash: string): Promise<void> {
    await this.rows.update({ id: userId, password_hash: oldHash }, { password_hash: newHash });
  }

  /** Records when users were last active; never moves a time back. */
  async noteActivity(entries: readonly { userId: number; at: number }[]): Promise<void> {
    const pairs = toPairs(entries.map(({ userId, at }) => ({ id: userId, at })));
    await this.transactions.query(
      `UPDATE users SET last_request_at = v.at FROM ${pairsTable(this.transactions.dialect)} v
       WHERE users.id = v.id AND (users.last_request_at IS NULL OR users.last_request_at < v.at)`,
      { pairs },
    );
  }

  async guestsAfter(userId: number, limit: number): Promise<{ guests: Guest[]; nextId: number | null }> {
    const rows = await this.transactions.query<UserRow>(
      `SELECT id, application_id, guest, last_request_at, created_at FROM users
       WHERE id > :userId ORDER BY id LIMIT :limit`,
      { userId, limit },
    );
    const guests = rows.filter(({ guest }) => guest).map(toGuest);
    return { guests, nextId: rows.length < limit ? null : rows.at(-1)!.id };
  }

  /** A lock that keeps even sessions from referring to the row. */
  async lockGuests(ids: readonly number[]): Promise<Guest[]> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : '';
    const rows = await this.transactions.query<UserRow>(
      `SELECT id, application_id, last_request_at, created_at FROM users
       WHERE ${isAmongIds(this.transactions.dialect, 'id')} AND guest AND password_hash IS NULL ORDER BY id ${lock}`,
      { ids: toList(ids) },
    );
    return rows.map(toGuest);
  }

  async remove(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const condition = isAmongIds(this.transactions.dialect, 'id');
    await this.transactions.query(`DELETE FROM users WHERE ${condition}`, { ids: toList(ids) });
  }

  private get rows() {
    return this.transactions.manager.getRepository<UserRow>('users');
  }
}

const emptyRow: Omit<UserRow, 'id' | 'application_id' | 'created_at' | 'updated_at'> = {
  login: null,
  login_key: null,
  email: null,
  email_key: null,
  email_verified: false,
  phone: null,
  phone_key: null,
  phone_verified: false,
  password_hash: null,
  credential_version: 1,
  guest: false,
  disabled: false,
  full_name: null,
  website: null,
  external_id: null,
  custom_data: null,
  tags: null,
  attributes: null,
  locale: null,
  timezone: null,
  country: null,
  last_request_at: null,
};

const credentialColumns = {
  id: true,
  password_hash: true,
  credential_version: true,
  guest: true,
  disabled: true,
} as const;

function identifierColumns(identifiers: readonly Identifier[]): Partial<UserRow> {
  const columns = identifiers.flatMap(({ kind, value, key }) => [
    [kind, value],
    [`${kind}_key`, key],
  ]);
  return Object.fromEntries(columns) as Partial<UserRow>;
}

/** Only e-mail addresses and phone numbers can be verified. */
function verifiedColumns(identifiers: readonly Identifier[]): Partial<UserRow> {
  const verified = identifiers.filter(({ kind }) => kind !== 'login');
  return Object.fromEntries(verified.map(({ kind }) => [`${kind}_verified`, true]));
}

/** One profile under another one: what the upper one has a value for is seen. Attributes each by their name. */
function layOver(lower: ProfileInput, upper: ProfileInput): Profile {
  const said = Object.entries(upper).filter(([, value]) => value !== null && value !== undefined);
  const tags = upper.tags !== undefined && upper.tags.length > 0 ? upper.tags : (lower.tags ?? []);
  const attributes = { ...lower.attributes, ...upper.attributes };
  return { ...emptyProfile, ...lower, ...(Object.fromEntries(said) as ProfileInput), tags, attributes };
}

const emptyProfile: Profile = {
  fullName: null,
  website: null,
  externalId: null,
  customData: null,
  tags: [],
  attributes: {},
  locale: null,
  timezone: null,
  country: null,
};

function profileColumns(profile: ProfileInput): Partial<UserRow> {
  const { tags = [], attributes = {} } = profile;
  return {
    tags: tags.length === 0 ? null : JSON.stringify(tags),
    attributes: Object.keys(attributes).length === 0 ? null : JSON.stringify(attributes),
    full_name: profile.fullName ?? null,
    website: profile.website ?? null,
    external_id: profile.externalId ?? null,
    custom_data: profile.customData ?? null,
    locale: profile.locale ?? null,
    timezone: profile.timezone ?? null,
    country: profile.country ?? null,
  };
}

function toGuest(row: UserRow): Guest {
  return {
    id: row.id,
    applicationId: row.application_id,
    lastRequestAt: row.last_request_at,
    createdAt: row.created_at,
  };
}

function toCredential(row: UserRow): LocalCredential {
  return {
    userId: row.id,
    passwordHash: row.password_hash,
    credentialVersion: row.credential_version,
    guest: row.guest,
    disabled: row.disabled,
  };
}
