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
  type TrustedClaims,
} from './account-linking.js';
import { AccountsService } from './accounts.service.js';
import type { ExternalIdentity } from './external-identity.js';
import { ExternalIdentityRepository, type KnownIdentity } from './external-identity.repository.js';
import { profileOf } from './profile-claims.js';
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
  /** How it was decided that this is the user. */
  readonly decision: 'known' | 'link' | 'create';
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
   * @throws BrokerError `invalid_credentials` when the user or the link is disabled; `identity_reassigned`;
   *   `sign_up_disabled`, `email_domain_not_allowed`, `email_in_use`, `login_in_use`, `guest_conflict` as the policy has it; the driver's unique violation when an identifier is claimed at the same
   *   moment: the whole transaction is to be tried again.
   */
  async admit(admission: Admission): Promise<Admitted> {
    const { identity, policy } = admission;
    const claims = trustedClaims(identity, policy);
    const { decision, known } = await this.decide(identity, claims, policy);
    if (decision.kind === 'refuse') throw refusal(decision.code);
    if (decision.kind === 'create') return this.admitNew(admission, decision, claims);

    const user =
      known?.user ?? (await this.accounts.findForSignIn(identity.provider.applicationId, decision.userId));
    if (!user || user.disabled) throw new BrokerError('invalid_credentials');
    const replacedGuestId = replacedGuest(admission, user);
    if (known) {
      await this.identities.noteUse(known, identity, claims.continuityHash);
      await this.watch(identity, known);
    } else {
      await this.insert(identity, user.id, claims);
    }
    const isSynced = policy.profileSync === 'every_sign_in';
    const current = isSynced ? await this.users.fillProfile(user, profileOf(identity)) : user;
    return { user: current, decision: decision.kind, replacedGuestId };
  }

  /**
   * Gives a signed-in user one more way in.
   *
   * @throws BrokerError `email_domain_not_allowed`; `identity_already_linked` when it leads to somebody, this user
   *   included; `session_ended` when the user is gone or disabled.
   */
  async link({ identity, policy }: Omit<Admission, 'guestId'>, userId: number): Promise<void> {
    const { applicationId } = identity.provider;
    const claims = trustedClaims(identity, policy);
    if (!claims.isOfAllowedDomain) throw new BrokerError('email_domain_not_allowed');
    const user = await this.users.findExclusively(applicationId, userId);
    if (!user || user.disabled) throw new BrokerError('session_ended');
    await this.identities.lockSubject(identity);
    if (await this.identities.isKnown(identity)) throw new BrokerError('identity_already_linked');
    await this.insert(identity, userId, claims);
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

  private async decide(
    identity: VerifiedIdentity,
    claims: TrustedClaims,
    policy: LinkingPolicy,
  ): Promise<{ decision: AccountLinkDecision; known: KnownIdentity | null }> {
    const known = (await this.identities.findForSignIn(identity)) ?? (await this.findWaiting(identity));
    const { applicationId } = identity.provider;
    const candidates = known
      ? { known, emailHolder: null, phoneHolder: null, loginHolder: null }
      : {
          known: null,
          emailHolder: await this.holderOf(applicationId, claims.email),
          phoneHolder: await this.holderOf(applicationId, claims.phone),
          loginHolder: (await this.holderOf(applicationId, claims.login))?.userId ?? null,
        };
    return { decision: decideAccountLink(candidates, claims, policy), known };
  }

  /** Another transaction may be making the user; this one waits for it, and from here on others wait for this one. */
  private async findWaiting(identity: VerifiedIdentity): Promise<KnownIdentity | null> {
    await this.identities.lockSubject(identity);
    return this.identities.findForSignIn(identity);
  }

  private async holderOf(applicationId: number, identifier: Identifier | null): Promise<Holder | null> {
    return identifier && this.users.findHolder(applicationId, identifier);
  }

  private async admitNew(
    { identity, policy, guestId }: Admission,
    decision: CreateDecision,
    claims: TrustedClaims,
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
    const profile = policy.profileSync === 'never' ? {} : profileOf(identity);
    const { verified } = decision;
    const taken = await this.users.findTaken(applicationId, claims.unverified);
    const identifiers = [
      ...decision.identifiers,
      ...claims.unverified.filter((identifier) => !taken.includes(identifier)),
    ];
    const guest = guestId === null ? null : await this.users.findExclusively(applicationId, guestId);
    let userId: number;
    if (guest?.guest && !guest.disabled) {
      userId = guest.id;
      await this.users.becomeFederated(guest, identifiers, verified, profile);
    } else {
      userId = (await this.accounts.createFederated(applicationId, identifiers, verified, profile)).id;
    }
    await this.insert(identity, userId, claims);
    const user = await this.users.find(applicationId, userId);
    return { user: user!, decision: 'create', replacedGuestId: null };
  }

  /** Another name and another address at once: the provider may have given the subject to somebody else. */
  private async watch({ provider, email, profile }: VerifiedIdentity, known: KnownIdentity): Promise<void> {
    const isAnother = (before: string | null | undefined, now: string | undefined) =>
      typeof before === 'string' && now !== undefined && before.toLowerCase() !== now.toLowerCase();
    if (!isAnother(known.email, email?.address)) return;
    const before = JSON.parse(known.profileText) as VerifiedIdentity['profile'];
    if (!isAnother(before.name, profile.name)) return;
    await this.audit.record({
      act: 'identity.person_changed',
      applicationId: provider.applicationId,
      userId: known.userId,
      details: { provider: provider.slug },
    });
  }

  private async insert(identity: VerifiedIdentity, userId: number, claims: TrustedClaims): Promise<void> {
    await this.identities.insert(identity, userId, claims.continuityHash);
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
