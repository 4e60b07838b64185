import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import { toIdentifiers, type Identifiers } from '../accounts/identifiers.js';
import type { ProfileInput, User } from '../accounts/user.js';
import { BrokerError } from '../errors/broker-error.js';
import { Throttle } from '../throttle/throttle.js';
import type { Client } from './client.js';
import { PasswordsService } from './passwords.service.js';

export interface SignUp {
  /** At least one. */
  readonly identifiers: Identifiers;
  readonly password: string;
  readonly profile: ProfileInput;
}

/** Creates users who sign in with a password. */
@Injectable()
export class SignUpService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly throttle: Throttle,
  ) {}

  /**
   * @throws BrokerError `sign_up_disabled`, `too_many_requests`, `identifier_taken`, `password_refused`, `busy`; then
   *   nobody was created.
   */
  async signUp(client: Client, { identifiers, password, profile }: SignUp): Promise<User> {
    const { id } = client.application;
    if (!maySignUp(client)) throw new BrokerError('sign_up_disabled');
    // The answer tells whether a name is taken, so how often it may be asked is limited.
    if (!client.isServer) await this.throttle.spend('sign_up', client.address);
    const known = toIdentifiers(identifiers);
    await this.accounts.refuseTaken(id, known);
    const hash = await this.passwords.hashChosen(
      client.application,
      password,
      known.map(({ value }) => value),
    );
    return this.accounts.createWithPassword(id, known, profile, hash);
  }
}

/** Whether the application lets this client make users. */
export function maySignUp({ application, isServer }: Client): boolean {
  const { sign_up } = application.settings;
  return sign_up === 'application_session' || (sign_up === 'server_only' && isServer);
}
