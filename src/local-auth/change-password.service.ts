import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import { identifierKinds, toIdentifiers, type Identifiers } from '../accounts/identifiers.js';
import type { LocalCredential, User } from '../accounts/user.js';
import { AuditLog } from '../audit/audit-log.js';
import { BrokerError, type InputFault } from '../errors/broker-error.js';
import { requireFreshSignIn } from '../session/fresh-sign-in.js';
import type { Session } from '../session/session.js';
import { SessionService, type BegunSession, type TokenMode } from '../session/session.service.js';
import { Clock } from '../time/clock.js';
import type { Client } from './client.js';
import { PasswordsService } from './passwords.service.js';

export interface ChangePassword {
  readonly oldPassword?: string | undefined;
  readonly password: string;
  readonly identifiers: Identifiers;
}

/** Changes a user's password or gives them their first; either way their other sessions end. */
@Injectable()
export class ChangePasswordService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionService,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the present session, which goes on as one signed in with the new password.
   * @throws BrokerError `validation_failed`, `invalid_credentials` (the old password), `fresh_sign_in_required`,
   *   `password_refused`, `identifier_taken`, `too_many_requests`, `busy`; then nothing was changed.
   */
  async change(
    client: Client,
    session: Session & { readonly userId: number },
    change: ChangePassword,
    mode: TokenMode = 'rotate',
  ): Promise<BegunSession> {
    const { application } = client;
    const [user, credential] = await Promise.all([
      this.accounts.find(application.id, session.userId),
      this.accounts.findCredential(application.id, session.userId),
    ]);
    if (!user || !credential) throw new BrokerError('session_ended');
    const faults = changeFaults(user, credential, change);
    if (faults.length > 0) throw new BrokerError('validation_failed', { errors: faults });
    await this.authorise(client, session, credential, change);

    const identifiers = toIdentifiers(change.identifiers);
    await this.accounts.refuseTaken(application.id, identifiers, user.id);
    const names = [user.login, user.email, user.phone, ...identifiers.map(({ value }) => value)];
    const hash = await this.passwords.hashChosen(
      application,
      change.password,
      names.filter((name) => name !== null),
    );
    return this.accounts.setPassword(
      application.id,
      credential,
      identifiers,
      hash,
      async (credentialVersion) => {
        const who = { as: 'local', userId: user.id, credentialVersion } as const;
        await this.audit.record({
          act: credential.passwordHash === null ? 'password.set' : 'password.changed',
          applicationId: application.id,
          userId: user.id,
          sessionId: session.id,
        });
        const renewed = await this.sessions.upgrade(session, { application, who }, mode);
        await this.sessions.endOthers(renewed.session, 'password_changed');
        return renewed;
      },
    );
  }

  /** A stolen session must not be enough to take an account over for good. */
  private async authorise(
    client: Client,
    session: Session,
    credential: LocalCredential,
    change: ChangePassword,
  ): Promise<void> {
    if (credential.passwordHash !== null) {
      return this.passwords.proveUser(client, credential, change.oldPassword ?? '');
    }
    // A guest has proven nothing but to hold this session, and has nothing else to prove.
    if (credential.guest || client.application.settings.first_password === 'session') return;
    requireFreshSignIn(session, this.clock.now());
  }
}

/** What is missing or out of place, given who the user is. */
function changeFaults(user: User, credential: LocalCredential, change: ChangePassword): InputFault[] {
  const given = identifierKinds.filter((kind) => change.identifiers[kind] !== undefined);
  if (credential.passwordHash !== null) {
    return [
      ...(change.oldPassword === undefined
        ? [{ pointer: '/old_password', code: 'required', detail: 'is needed to change a password' }]
        : []),
      ...given.map((kind) => ({
        pointer: `/${kind}`,
        code: 'not_allowed',
        detail: 'can be given with a first password only',
      })),
    ];
  }
  const hasIdentifier = user.login !== null || user.email !== null || user.phone !== null;
  return hasIdentifier || given.length > 0
    ? []
    : [
        {
          pointer: '',
          code: 'identifier_required',
          detail: 'needs a login, e-mail address or phone number to sign in by',
        },
      ];
}
