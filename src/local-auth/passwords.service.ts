import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import type { Identifier } from '../accounts/identifiers.js';
import type { LocalCredential } from '../accounts/user.js';
import type { Application } from '../applications/application.js';
import type { AuditAct } from '../audit/audit-acts.js';
import { AuditLog } from '../audit/audit-log.js';
import { BrokerError } from '../errors/broker-error.js';
import { DomainEvents, type SignInRefusal } from '../events/domain-events.js';
import { Transactions } from '../persistence/transactions.js';
import { Throttle, type Source } from '../throttle/throttle.js';
import type { Client } from './client.js';
import { commonPasswords } from './common-passwords.js';
import { PasswordHasher } from './password-hasher.js';
import { normalisePassword, passwordFault, type PasswordContext } from './password-policy.js';

/** On whose behalf a password is tried: which application's user it is about, and what tries are counted by. */
interface Asker {
  readonly application: Application;
  readonly address: Source;
}

/** Says whose password it is; null: nobody's. */
type Judge<T> = () => Promise<T | null>;

/** Judges passwords: whether one is right, whether one may be chosen. Every way in that takes one asks here. */
@Injectable()
export class PasswordsService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly hasher: PasswordHasher,
    private readonly throttle: Throttle,
    private readonly events: DomainEvents,
    private readonly audit: AuditLog,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Whose password this is.
   *
   * Nobody, a user without a password, a disabled user and a wrong password are one answer in one duration.
   *
   * @returns null when there is nobody of that name and `mayBeNew`; only then.
   * @throws BrokerError `invalid_credentials`, `too_many_requests`, `busy`
   */
  async proveIdentifier(
    client: Client,
    identifier: Identifier,
    password: string,
    { mayBeNew }: { mayBeNew: boolean },
  ): Promise<LocalCredential | null> {
    const applicationId = client.application.id;
    const credential = await this.accounts.findCredentialBy(applicationId, identifier);
    if (!credential && mayBeNew) return null;
    const judges = [this.localJudge(credential, password)];
    return this.prove('sign_in', client, credential, { applicationId, ...identifier }, judges);
  }

  /**
   * Whose password this is, where a partner is asked as well as or in the place of this application's own users. One
   * try, whoever judges it. A judge who cannot answer leaves it to the next one; when nobody accepts the password, the
   * try is counted and ends as that judge did.
   *
   * @param partner resolves to null when the partner refuses it.
   * @throws BrokerError as `proveIdentifier`; what `partner` throws.
   */
  async proveInOrder<T>(
    client: Client,
    identifier: Identifier,
    password: string,
    order: readonly ('local' | 'partner')[],
    partner: () => Promise<T | null>,
  ): Promise<LocalCredential | T> {
    const applicationId = client.application.id;
    const credential = await this.accounts.findCredentialBy(applicationId, identifier);
    const local = this.localJudge(credential, password);
    const judges = order.map((judge): Judge<LocalCredential | T> => (judge === 'local' ? local : partner));
    const name = { applicationId, ...identifier };
    return this.prove<LocalCredential | T>('sign_in', client, credential, name, judges);
  }

  /**
   * Whether a signed-in user, who wants to change it, knows their password; counted like a sign-in.
   *
   * @throws BrokerError as `proveIdentifier`
   */
  async proveUser(client: Client, credential: LocalCredential, password: string): Promise<void> {
    const judges = [this.localJudge(credential, password)];
    await this.prove('password.changed', client, credential, { userId: credential.userId }, judges);
  }

  /**
   * Whether this is the password of the user of that id, who may be nobody; counted like a sign-in.
   *
   * @throws BrokerError as `proveIdentifier`
   */
  async proveUserId(asker: Asker, userId: number, password: string): Promise<LocalCredential> {
    const applicationId = asker.application.id;
    const credential = await this.accounts.findCredential(applicationId, userId);
    const name = { applicationId, kind: 'id', key: String(userId) };
    return this.prove('sign_in', asker, credential, name, [this.localJudge(credential, password)]);
  }

  /**
   * The hash of a password that somebody chooses.
   *
   * @throws BrokerError `password_refused` with the reason; `busy`
   */
  async hashChosen(
    application: Application,
    password: string,
    identifiers: readonly string[],
  ): Promise<string> {
    const normalised = normalisePassword(password);
    const context: PasswordContext = { applicationName: application.name, identifiers };
    const fault = passwordFault(normalised, application.settings, context, await commonPasswords());
    if (fault) throw new BrokerError('password_refused', { errors: [fault] });
    return this.hasher.hash(normalised);
  }

  /** The application's own word. A hash is computed for nobody too, so that the time does not tell who exists. */
  private localJudge(credential: LocalCredential | null, password: string): Judge<LocalCredential> {
    const normalised = normalisePassword(password);
    return async () => {
      const matches = await this.hasher.verify(credential?.passwordHash ?? null, normalised);
      if (!matches || !credential || credential.disabled) return null;
      await this.renewHash(credential, normalised);
      return credential;
    };
  }

  private async prove<T>(
    act: AuditAct,
    client: Asker,
    credential: LocalCredential | null,
    name: { userId: number } | { applicationId: number; kind: string; key: string },
    judges: readonly Judge<T>[],
  ): Promise<T> {
    const subject = credential ? { userId: credential.userId } : name;
    let absent: Error | undefined;
    const proven = await this.throttle
      .attempt(subject, client.address, async () => {
        for (const [i, judge] of judges.entries()) {
          const isLast = i === judges.length - 1;
          const proven = await judge().catch((error: unknown) => {
            // Guesses at what the one judge can tell must count while the other one is away.
            if (judges.length === 1 || (isLast && absent !== undefined)) throw error;
            absent = error as Error;
            return null;
          });
          if (proven !== null) return proven;
        }
        return null;
      })
      .catch((error: unknown) => {
        if (error instanceof BrokerError && error.code === 'too_many_requests')
          this.refused(client, 'throttled');
        throw error;
      });
    if (!proven) {
      const reason = refusalOf(credential);
      await this.recordRefusal(act, client, credential, reason);
      this.refused(client, reason);
      throw absent ?? new BrokerError('invalid_credentials');
    }
    return proven;
  }

  /** The password is at hand only now, so this is when a hash with old parameters can be replaced. */
  private async renewHash({ userId, passwordHash }: LocalCredential, password: string): Promise<void> {
    if (passwordHash === null || !this.hasher.isOutdated(passwordHash)) return;
    await this.accounts.rehash(userId, passwordHash, await this.hasher.hash(password));
  }

  /**
   * Leaves an entry where the user exists. A name of nobody leaves none, as it may be a password that was typed into
   * the wrong field, and strangers could fill the table; but it takes the same transaction, so that the time does not
   * tell the two apart. The disk is waited for in neither: what is refused has changed nothing.
   */
  private recordRefusal(
    act: AuditAct,
    client: Asker,
    credential: LocalCredential | null,
    reason: SignInRefusal,
  ): Promise<void> {
    return this.transactions.runUnsynced(async () => {
      if (!credential) return;
      await this.audit.record({
        act,
        applicationId: client.application.id,
        userId: credential.userId,
        outcome: 'refused',
        reason,
        details: { provider: 'password' },
      });
    });
  }

  private refused(client: Asker, reason: SignInRefusal): void {
    this.events.emit('sign-in.refused', {
      applicationId: client.application.id,
      provider: 'password',
      reason,
    });
  }
}

/** For the metrics and the audit log; the client is told none of it. */
function refusalOf(credential: LocalCredential | null): SignInRefusal {
  if (!credential) return 'unknown_user';
  if (credential.passwordHash === null) return 'no_password';
  return credential.disabled ? 'disabled' : 'wrong_password';
}
