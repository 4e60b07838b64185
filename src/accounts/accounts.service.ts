import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { BrokerError } from '../errors/broker-error.js';
import { DomainEvents } from '../events/domain-events.js';
import { isUniqueViolation } from '../persistence/store-errors.js';
import { Transactions } from '../persistence/transactions.js';
import type { Identifier } from './identifiers.js';
import type { Guest, LocalCredential, ProfileInput, User } from './user.js';
import { UserRepository } from './user.repository.js';

/** Underlying users and the names they go by. Knows nothing of sessions, and of passwords only that a hash is text. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly users: UserRepository,
    private readonly transactions: Transactions,
    private readonly events: DomainEvents,
    private readonly audit: AuditLog,
  ) {}

  find(applicationId: number, userId: number): Promise<User | null> {
    return this.users.find(applicationId, userId);
  }

  findCredential(applicationId: number, userId: number): Promise<LocalCredential | null> {
    return this.users.findCredential(applicationId, userId);
  }

  findCredentialBy(applicationId: number, identifier: Identifier): Promise<LocalCredential | null> {
    return this.users.findCredentialBy(applicationId, identifier);
  }

  /** The user as it is and stays until the caller's transaction ends; null when there is none. */
  findForSignIn(
    applicationId: number,
    userId: number,
  ): Promise<(User & { credentialVersion: number }) | null> {
    return this.users.findLocked(applicationId, userId);
  }

  /** @throws BrokerError `identifier_taken`, naming each. */
  async refuseTaken(
    applicationId: number,
    identifiers: readonly Identifier[],
    exceptUserId?: number,
  ): Promise<void> {
    const taken = await this.users.findTaken(applicationId, identifiers, exceptUserId);
    if (taken.length > 0) throw identifierTaken(taken);
  }

  /** @throws BrokerError `identifier_taken`, naming each; then nothing was created. */
  async createWithPassword(
    applicationId: number,
    identifiers: readonly Identifier[],
    profile: ProfileInput,
    passwordHash: string,
  ): Promise<User> {
    return this.namingTaken(applicationId, identifiers, undefined, () =>
      this.transactions.run(() =>
        this.insert({ applicationId, identifiers, profile, passwordHash, guest: false }),
      ),
    );
  }

  /** A user nobody can sign in as again, until it is given a password or an identity. Joins the caller's transaction. */
  createGuest(applicationId: number, profile: ProfileInput): Promise<User> {
    return this.insert({ applicationId, identifiers: [], profile, passwordHash: null, guest: true });
  }

  /**
   * A user without a password.
   *
   * @param verified those of the identifiers that a provider has verified. Joins the caller's transaction.
   */
  createFederated(
    applicationId: number,
    identifiers: readonly Identifier[],
    verified: readonly Identifier[],
    profile: ProfileInput,
  ): Promise<User> {
    return this.insert({
      applicationId,
      identifiers,
      profile,
      passwordHash: null,
      guest: false,
      verified,
    });
  }

  /**
   * Sets the password, and with a first one the identifiers to sign in by; a guest is none from then on. Runs `then`
   * in the same transaction, with the new credential version.
   *
   * @throws BrokerError `identifier_taken`; `invalid_credentials` when the password was changed meanwhile.
   */
  async setPassword<T>(
    applicationId: number,
    credential: LocalCredential,
    identifiers: readonly Identifier[],
    passwordHash: string,
    then: (credentialVersion: number) => Promise<T>,
  ): Promise<T> {
    const { userId, credentialVersion } = credential;
    return this.namingTaken(applicationId, identifiers, userId, () =>
      this.transactions.run(async () => {
        const version = await this.users.setPassword(userId, credentialVersion, passwordHash, identifiers);
        if (version === null) throw new BrokerError('invalid_credentials');
        return then(version);
      }),
    );
  }

  /**
   * Keeps the user from signing in, or lets them again. Joins the caller's transaction; from here to its end, no
   * sign-in of the user gets on (`findForSignIn`).
   *
   * @returns whether that is a change; null when there is no such user.
   */
  async setDisabled(applicationId: number, userId: number, disabled: boolean): Promise<boolean | null> {
    return this.transactions.run(async () => {
      if (await this.users.setDisabled(applicationId, userId, disabled)) return true;
      return (await this.users.find(applicationId, userId)) === null ? null : false;
    });
  }

  rehash(userId: number, oldHash: string, newHash: string): Promise<void> {
    return this.transactions.run(() => this.users.rehash(userId, oldHash, newHash));
  }

  noteActivity(entries: readonly { userId: number; at: number }[]): Promise<void> {
    return this.transactions.runUnsynced(() => this.users.noteActivity(entries));
  }

  /**
   * The guests among the next `limit` users, guests or not: one statement stays short however rare they are.
   *
   * @returns `nextId` to go on after, or null at the end.
   */
  guestsAfter(userId: number, limit: number): Promise<{ guests: Guest[]; nextId: number | null }> {
    return this.users.guestsAfter(userId, limit);
  }

  /**
   * Those who still are guests, held until the caller's transaction ends: nobody can begin a session for them or give
   * them a password meanwhile. Whom somebody else holds at this moment is left out.
   */
  lockGuests(guests: readonly Guest[]): Promise<Guest[]> {
    return this.users.lockGuests(guests.map(({ id }) => id));
  }

  /** Removes guests, with what is left of their sessions. Joins the caller's transaction, which holds them. */
  removeGuests(guests: readonly Guest[]): Promise<void> {
    return this.users.remove(guests.map(({ id }) => id));
  }

  private async insert(user: Parameters<UserRepository['insert']>[0]): Promise<User> {
    const created = await this.users.insert(user);
    await this.audit.record({
      act: 'user.created',
      applicationId: created.applicationId,
      userId: created.id,
      details: { guest: created.guest },
    });
    this.transactions.afterCommit(() =>
      this.events.emit('user.created', {
        applicationId: created.applicationId,
        userId: created.id,
        guest: created.guest,
      }),
    );
    return created;
  }

  /**
   * Two sign-ups at once both find a name free; the database lets one of them have it. The other one's transaction
   * is over by now, so a fresh look says which name it was.
   */
  private async namingTaken<T>(
    applicationId: number,
    identifiers: readonly Identifier[],
    exceptUserId: number | undefined,
    write: () => Promise<T>,
  ): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      await this.refuseTaken(applicationId, identifiers, exceptUserId);
      throw error;
    }
  }
}

function identifierTaken(taken: readonly Identifier[]): BrokerError {
  return new BrokerError('identifier_taken', {
    errors: taken.map(({ kind }) => ({
      pointer: `/${kind}`,
      code: 'taken',
      detail: `another user of this application has this ${kind}`,
    })),
  });
}
