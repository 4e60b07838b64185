import { Injectable } from '@nestjs/common';
import { identifierShape, type Identifier } from '../accounts/identifiers.js';
import type { ProfileInput } from '../accounts/user.js';
import { BrokerError } from '../errors/broker-error.js';
import type { Session } from '../session/session.js';
import { RedirectSignInService } from '../session/redirect/redirect-sign-in.service.js';
import { SignInService, type ProvenIdentity, type Purpose } from '../session/federated/sign-in.service.js';
import { SessionService, type BegunSession, type TokenMode, type Who } from '../session/session.service.js';
import { Throttle } from '../throttle/throttle.js';
import type { Client } from './client.js';
import { PasswordsService } from './passwords.service.js';
import { maySignUp, SignUpService } from './sign-up.service.js';

/** What another party's identity is proved with. */
export type PresentedIdentity =
  /** The slug of one of the application's providers, and what it takes. */
  | { readonly provider: 'foreign'; readonly slug: string; readonly credential: unknown }
  /** The one-time code of a browser sign-in. */
  | { readonly provider: 'redirect'; readonly code: string; readonly codeVerifier: string };

/** What is presented to get in. */
export type Presented =
  | PresentedIdentity
  | { readonly provider: 'password'; readonly identifier: Identifier; readonly password: string }
  | { readonly provider: 'guest'; readonly profile: ProfileInput };

/** The one door for every face: proves who somebody is, then lets the session module begin or upgrade. */
@Injectable()
export class WaysInService {
  constructor(
    private readonly passwords: PasswordsService,
    private readonly signUps: SignUpService,
    private readonly signIns: SignInService,
    private readonly redirects: RedirectSignInService,
    private readonly sessions: SessionService,
    private readonly throttle: Throttle,
  ) {}

  /**
   * Begins a session, for a user where something is presented and for the application alone where nothing is.
   *
   * @throws BrokerError `invalid_credentials`, `guests_disabled`, `too_many_requests`, `busy`; with the setting
   *   create_user_on_sign_in also what a sign-up throws.
   */
  async begin(client: Client, presented: Presented | null): Promise<BegunSession> {
    const who: Who = presented ? await this.prove(client, presented, null) : { as: 'application' };
    return this.sessions.begin({ application: client.application, who });
  }

  /** Signs in on a session that is there already. @throws BrokerError as `begin`, and `session_ended` */
  async upgrade(
    client: Client,
    current: Session,
    presented: Presented,
    mode: TokenMode = 'rotate',
  ): Promise<BegunSession> {
    const who = await this.prove(client, presented, current.id);
    return this.sessions.upgrade(current, { application: client.application, who }, mode);
  }

  /**
   * Proves an identity of another party.
   *
   * @param sessionId the session it is presented on; null: a new one will begin.
   * @throws BrokerError as `SignInService.prove` and `RedirectSignInService.trade`.
   */
  async proveIdentity(
    { application, address }: Client,
    presented: PresentedIdentity,
    sessionId: number | null,
    purpose: Purpose,
  ): Promise<ProvenIdentity> {
    if (presented.provider === 'redirect') {
      return this.redirects.trade(application, presented, sessionId, purpose);
    }
    const { slug: provider, credential } = presented;
    return this.signIns.prove(application, { provider, credential }, address, purpose);
  }

  private async prove(client: Client, presented: Presented, sessionId: number | null): Promise<Who> {
    switch (presented.provider) {
      case 'guest':
        return this.admitGuest(client, presented.profile);
      case 'password':
        return this.provePassword(client, presented.identifier, presented.password);
      default:
        return {
          as: 'federated',
          ...(await this.proveIdentity(client, presented, sessionId, 'sign_in')),
        };
    }
  }

  private async provePassword(client: Client, identifier: Identifier, password: string): Promise<Who> {
    const order = client.application.settings.password_sign_in;
    return order === 'local'
      ? this.proveLocalPassword(client, identifier, password)
      : this.proveInOrder(client, identifier, password, order.split(','));
  }

  /** Where the application hands passwords to a partner. */
  private async proveInOrder(
    client: Client,
    identifier: Identifier,
    password: string,
    order: readonly string[],
  ): Promise<Who> {
    const slug = order.find((name) => name !== 'local')!;
    const typed = { kind: identifier.kind, name: identifier.value, password };
    const judges = order.map((name) => (name === 'local' ? 'local' : 'partner'));
    const proven = await this.passwords.proveInOrder(client, identifier, password, judges, () =>
      this.signIns.tryPassword(client.application, slug, typed),
    );
    return 'identity' in proven
      ? { as: 'federated', ...proven }
      : { as: 'local', userId: proven.userId, credentialVersion: proven.credentialVersion };
  }

  private async proveLocalPassword(client: Client, identifier: Identifier, password: string): Promise<Who> {
    // Where this client may sign nobody up, a free name and a wrong password have to look the same.
    const mayBeNew = client.application.settings.create_user_on_sign_in && maySignUp(client);
    const credential = await this.passwords.proveIdentifier(client, identifier, password, { mayBeNew });
    if (credential)
      return { as: 'local', userId: credential.userId, credentialVersion: credential.credentialVersion };
    // A sign-in takes any text; a user is not made of one that a sign-up would refuse.
    if (!identifierShape[identifier.kind].safeParse(identifier.value).success) {
      throw new BrokerError('invalid_credentials');
    }
    const identifiers = { [identifier.kind]: identifier.value };
    const user = await this.signUps.signUp(client, { identifiers, password, profile: {} });
    return { as: 'local', userId: user.id, credentialVersion: FIRST_CREDENTIAL_VERSION };
  }

  private async admitGuest(client: Client, profile: ProfileInput): Promise<Who> {
    if (!client.application.settings.guests) throw new BrokerError('guests_disabled');
    if (!client.isServer) await this.throttle.spend('guest', client.address);
    return { as: 'guest', profile };
  }
}

const FIRST_CREDENTIAL_VERSION = 1;
