import { createHash } from 'node:crypto';
import type { LinkingPolicy } from '../identity/linking-policy.js';
import type { VerifiedIdentity } from '../identity/verified-identity.js';
import { emailSchema, loginSchema, phoneSchema, toIdentifier, type Identifier } from './identifiers.js';

/** What becomes of a verified identity. */
export type AccountLinkDecision =
  /** (provider, subject) was seen before. */
  | { readonly kind: 'known'; readonly userId: number }
  /** An existing user, by an address that both sides have verified, or by a login where the policy says so. */
  | { readonly kind: 'link'; readonly userId: number }
  /** A new user, who gets those of the identifiers that nobody has verified here. */
  | {
      readonly kind: 'create';
      readonly identifiers: readonly Identifier[];
      /** Those of them that the provider verified. */
      readonly verified: readonly Identifier[];
      /** Who claimed one of them without ever verifying it, and loses it. */
      readonly takenOver: readonly TakenOver[];
    }
  | { readonly kind: 'refuse'; readonly code: LinkRefusal };

export type LinkRefusal =
  | 'identity_disabled'
  | 'identity_reassigned'
  | 'email_domain_not_allowed'
  | 'email_in_use'
  | 'login_in_use'
  | 'sign_up_disabled';

export interface TakenOver {
  readonly userId: number;
  readonly identifier: Identifier;
}

/** The user who has an identifier. */
export interface Holder {
  readonly userId: number;
  /** Whether it was ever shown to be theirs. */
  readonly verified: boolean;
}

export interface LinkCandidates {
  /** The user whom this very identity leads to, if it is known. */
  readonly known: {
    readonly userId: number;
    readonly disabled: boolean;
    /** As `continuityHash` made it when it was first told; null: it never was. */
    readonly continuityHash: string | null;
  } | null;
  /** Who has the provider's verified address, and number; null where it is free or where there is none. */
  readonly emailHolder: Holder | null;
  readonly phoneHolder: Holder | null;
  /** Who has the login that the operator maps; null likewise. */
  readonly loginHolder: number | null;
}

/** What an identity claims for the user's own identifiers: what the provider verified and is trusted for. */
export interface TrustedClaims {
  readonly email: Identifier | null;
  readonly phone: Identifier | null;
  /** The operator's choice of a name, which says nothing of who somebody is. */
  readonly login: Identifier | null;
  /** Addresses that the operator maps and that nobody has verified: for a new user where they are free. */
  readonly unverified: readonly Identifier[];
  readonly isOfAllowedDomain: boolean;
  readonly continuityHash: string | null;
}

/**
 * The identifiers that a provider's word is good for. An address that it did not verify, or is not trusted for, is kept
 * with the external identity for people to see, and is nobody's login.
 */
export function trustedClaims(
  identity: Pick<VerifiedIdentity, 'email' | 'phone' | 'user' | 'continuity'>,
  policy: Pick<LinkingPolicy, 'trustedForEmail' | 'trustedForPhone' | 'emailDomains'>,
): TrustedClaims {
  const { email, phone, user, continuity } = identity;
  const isEmail = email !== undefined && emailSchema.safeParse(email.address).success;
  const isPhone = phone !== undefined && phoneSchema.safeParse(phone.number).success;
  const hasEmail = isEmail && policy.trustedForEmail && email.verified;
  const hasPhone = isPhone && policy.trustedForPhone && phone.verified;
  const login = user?.login;
  return {
    email: hasEmail ? toIdentifier('email', email.address) : null,
    phone: hasPhone ? toIdentifier('phone', phone.number) : null,
    login: login !== undefined && loginSchema.safeParse(login).success ? toIdentifier('login', login) : null,
    unverified: [
      ...(user && isEmail && !hasEmail ? [toIdentifier('email', email.address)] : []),
      ...(user && isPhone && !hasPhone ? [toIdentifier('phone', phone.number)] : []),
    ],
    isOfAllowedDomain:
      policy.emailDomains === null ||
      (isEmail && email.verified && policy.emailDomains.includes(domainOf(email.address))),
    continuityHash:
      continuity === undefined ? null : createHash('sha256').update(continuity).digest('base64url'),
  };
}

function domainOf(address: string): string {
  const { key } = toIdentifier('email', address);
  return key.slice(key.lastIndexOf('@') + 1);
}

/**
 * Which user an identity belongs to. Touches no database; every sign-in and nothing else decides by it.
 *
 * Somebody may register a victim's address and wait for the victim to come by way of a provider (pre-hijacking): an
 * unverified claim never draws an identity in, and yields to who can show that the address is theirs. A phone number
 * that somebody else has verified stays with them, as carriers give numbers to new people.
 */
export function decideAccountLink(
  candidates: LinkCandidates,
  claims: TrustedClaims,
  policy: Pick<LinkingPolicy, 'createUsers' | 'linkByEmail' | 'linkByLogin'>,
): AccountLinkDecision {
  const { known, emailHolder, phoneHolder, loginHolder } = candidates;
  if (known?.disabled) return refuse('identity_disabled');
  // The operator lets a whole organisation in by its domain; whoever leaves it is out.
  if (!claims.isOfAllowedDomain) return refuse('email_domain_not_allowed');
  if (known) {
    return isSamePerson(known.continuityHash, claims.continuityHash)
      ? { kind: 'known', userId: known.userId }
      : refuse('identity_reassigned');
  }
  if (emailHolder?.verified) {
    return policy.linkByEmail === 'verified'
      ? { kind: 'link', userId: emailHolder.userId }
      : refuse(policy.createUsers ? 'email_in_use' : 'sign_up_disabled');
  }
  if (loginHolder !== null && policy.linkByLogin) return { kind: 'link', userId: loginHolder };
  if (!policy.createUsers) return refuse('sign_up_disabled');
  if (loginHolder !== null) return refuse('login_in_use');
  const free = [
    { identifier: claims.email, holder: emailHolder },
    { identifier: claims.phone, holder: phoneHolder },
  ].flatMap(({ identifier, holder }) =>
    identifier !== null && !holder?.verified ? [{ identifier, holder }] : [],
  );
  const verified = free.map(({ identifier }) => identifier);
  return {
    kind: 'create',
    identifiers: [...verified, ...(claims.login ? [claims.login] : [])],
    verified,
    takenOver: free.flatMap(({ identifier, holder }) =>
      holder ? [{ userId: holder.userId, identifier }] : [],
    ),
  };
}

/** Providers that give a subject to somebody else would give the account with it. What was never told is not compared. */
function isSamePerson(before: string | null, now: string | null): boolean {
  return before === null || now === null || before === now;
}

function refuse(code: LinkRefusal): AccountLinkDecision {
  return { kind: 'refuse', code };
}
