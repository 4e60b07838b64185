import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { BrokerError } from '../errors/broker-error.js';
import type { LinkingPolicy } from '../identity/linking-policy.js';
import type { VerifiedIdentity } from '../identity/verified-identity.js';
import { Transactions } from '../persistence/transactions.js';
import {
  decideAccountLink,
  trustedClaims,
  type AccountLinkDecision,
  type Holder,
  type LinkRefusal,
} from './account-linking.js';
import { AccountsService } from './accounts.service.js';
import type { ExternalIdentity } from './external-identity.js';
import { ExternalIdentityRepository } from './external-identity.repository.js';
import { profileFromClaims } from './profile-claims.js';
import type { Identifier } from './identifiers.js';
import type { User } from './user.js';
import { UserRepository } from './user.repository.js';

export interface Admission {
  readonly identity: VerifiedIdentity;
  readonly policy: LinkingPolicy;
  /** The guest who is signed in where this comes in, if any. */
  readonly guestId: number | null;
}

export interface Admitted {
  readonly user: User;
  /** The guest whom this user takes the session over from, and who stays behind. */
  readonly replacedGuestId: number | null;
}

type CreateDecision = AccountLinkDecision & { readonly kind: 'create' };

/** From verified identities to underlying users, and the links between the two. Every method joins the caller's transaction. */
@Injectable()
export class FederatedAccountsService {
  constructor(
    private readonly identities: ExternalIdentityRepository,
    private readonly users: UserRepository,
    private readonly accounts: AccountsService,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The user an identity belongs to, found, linked or created. A guest is not left behind where the identity is new:
   * they become the user, with everything they have.
   *
   * @throws BrokerError `invalid_credentials` when the user or the link is disabled; `sign_up_disabled`, `email_in_use`,
   *   `guest_conflict` as the policy has it; the driver's unique violation when an identifier is claimed at the same
   *   moment: the whole transaction is to be tried again.
   */
  async admit(admission: Admission): Promise<Admitted> {
    const { identity, policy } = admission;
    const decision = await this.decide(identity, policy);
    if (decision.kind === 'refuse') throw refusal(decision.code);
    if (decision.kind === 'create') return this.admitNew(admission, decision);

    const user = await this.accounts.findForSignIn(identity.provider.applicationId, decision.userId);
    if (!user || user.disabled) throw new BrokerError('invalid_credentials');
    // Unlinked or disabled while this transaction waited for the user: whoever unlinked was told that this way is shut.
    if (decision.kind === 'known' && !(await this.identities.noteUse(identity, user.id)))
      return this.admit(admission);
    const replacedGuestId = replacedGuest(admission, user);
    if (decision.kind === 'link') await this.insert(identity, user.id);
    if (policy.profileSync === 'every_sign_in')
      await this.users.fillProfile(user.id, profileFromClaims(identity.profile));
    const current =
      policy.profileSync === 'every_sign_in' ? await this.users.find(user.applicationId, user.id) : user;
    return { user: current!, replacedGuestId };
  }

  /**
   * Gives a signed-in user one more way in.
   *
   * @throws BrokerError `identity_already_linked` when it leads to somebody, this user included; `session_ended` when
   *   the user is gone or disabled.
   */
  async link(identity: VerifiedIdentity, userId: number): Promise<void> {
    const { applicationId } = identity.provider;
    const user = await this.users.findExclusively(applicationId, userId);
    if (!user || user.disabled) throw new BrokerError('session_ended');
    await this.identities.lockSubject(identity);
    if (await this.identities.find(identity)) throw new BrokerError('identity_already_linked');
    await this.insert(identity, userId);
    if (user.guest) await this.users.leaveGuestStatus(userId);
  }

  /**
   * Takes a way in away.
   *
   * @throws BrokerError `identity_not_found`; `last_way_in` when nobody could sign in as the user any more.
   */
  async unlink(applicationId: number, userId: number, id: number): Promise<void> {
    // Held for itself, so that two at once cannot each count on what the other one takes away.
    const user = await this.users.findExclusively(applicationId, userId);
    if (!user) throw new BrokerError('session_ended');
    const found = (await this.identities.listOfUser(applicationId, userId)).find((link) => link.id === id);
    if (!found) throw new BrokerError('identity_not_found');
    await this.identities.remove(id);
    const hasIdentifier = user.login !== null || user.email !== null || user.phone !== null;
    const waysIn = (user.hasPassword && hasIdentifier ? 1 : 0) + (await this.identities.countUsable(userId));
    if (waysIn === 0) throw new BrokerError('last_way_in');
    await this.audit.record({
      act: 'identity.unlinked',
      applicationId,
      userId,
      details: { provider: found.provider },
    });
  }

  /**
   * Keeps anybody from signing in as the user by this identity, or lets them again. It stays linked: it leads to nobody
   * else meanwhile. Running sessions go on.
   *
   * @throws BrokerError `identity_not_found`
   */
  async setDisabled(
    applicationId: number,
    userId: number,
    id: number,
    disabled: boolean,
  ): Promise<ExternalIdentity> {
    const found = (await this.identities.listOfUser(applicationId, userId)).find((link) => link.id === id);
    if (!found) throw new BrokerError('identity_not_found');
    if (found.disabled === disabled) return found;
    await this.identities.setDisabled(id, disabled);
    await this.audit.record({
      act: disabled ? 'identity.disabled' : 'identity.enabled',
      applicationId,
      userId,
      details: { provider: found.provider },
    });
    return { ...found, disabled };
  }

  list(applicationId: number, userId: number): Promise<ExternalIdentity[]> {
    return this.identities.listOfUser(applicationId, userId);
  }

  private async decide(identity: VerifiedIdentity, policy: LinkingPolicy): Promise<AccountLinkDecision> {
    const claims = trustedClaims(identity, policy);
    const known = await this.identities.find(identity);
    const nobody = { emailHolder: null, phoneHolder: null };
    if (known) return decideAccountLink({ known, ...nobody }, claims, policy);
    await this.identities.lockSubject(identity);
    // Another transaction may have made the user while this one waited.
    const meanwhile = await this.identities.find(identity);
    if (meanwhile) return decideAccountLink({ known: meanwhile, ...nobody }, claims, policy);
    const { applicationId } = identity.provider;
    const candidates = {
      known: null,
      emailHolder: await this.holderOf(applicationId, claims.email),
      phoneHolder: await this.holderOf(applicationId, claims.phone),
    };
    return decideAccountLink(candidates, claims, policy);
  }

  private async holderOf(applicationId: number, identifier: Identifier | null): Promise<Holder | null> {
    return identifier && this.users.findHolder(applicationId, identifier);
  }

  private async admitNew(
    { identity, policy, guestId }: Admission,
    decision: CreateDecision,
  ): Promise<Admitted> {
    const { applicationId } = identity.provider;
    for (const { userId, identifier } of decision.takenOver) {
      await this.users.releaseIdentifier(userId, identifier.kind);
      await this.audit.record({
        act: 'identifier.taken_over',
        applicationId,
        userId,
        details: { kind: identifier.kind, provider: identity.provider.slug },
      });
    }
    const profile = policy.profileSync === 'never' ? {} : profileFromClaims(identity.profile);
    const guest = guestId === null ? null : await this.users.findExclusively(applicationId, guestId);
    let userId: number;
    if (guest?.guest && !guest.disabled) {
      userId = guest.id;
      await this.users.becomeFederated(userId, decision.identifiers, profile);
    } else {
      userId = (await this.accounts.createFederated(applicationId, decision.identifiers, profile)).id;
    }
    await this.insert(identity, userId);
    return { user: (await this.users.find(applicationId, userId))!, replacedGuestId: null };
  }

  private async insert(identity: VerifiedIdentity, userId: number): Promise<void> {
    await this.identities.insert(identity, userId);
    await this.audit.record({
      act: 'identity.linked',
      applicationId: identity.provider.applicationId,
      userId,
      details: { provider: identity.provider.slug },
    });
  }
}

/** A guest has nothing but their session; whoever takes it over is told whom they left behind. */
function replacedGuest({ policy, guestId }: Admission, user: User): number | null {
  if (guestId === null || guestId === user.id) return null;
  if (policy.guestConflict === 'keep_existing') return guestId;
  throw new BrokerError('guest_conflict', { members: { guest_user_id: guestId, user_id: user.id } });
}

/** A disabled link is as good as a refused credential: nothing tells the two apart. */
function refusal(code: LinkRefusal): BrokerError {
  return new BrokerError(code === 'identity_disabled' ? 'invalid_credentials' : code);
}
