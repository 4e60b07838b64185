import type { LinkingPolicy } from '../identity/linking-policy.js';
import { emailSchema, phoneSchema, toIdentifier, type Identifier } from './identifiers.js';

/** What becomes of a verified identity. */
export type AccountLinkDecision =
  /** (provider, subject) was seen before. */
  | { readonly kind: 'known'; readonly userId: number }
  /** An existing user, by an address that both sides have verified. */
  | { readonly kind: 'link'; readonly userId: number }
  /** A new user, who gets those of the verified identifiers that nobody has verified here. */
  | {
      readonly kind: 'create';
      readonly identifiers: readonly Identifier[];
      /** Who claimed one of them without ever verifying it, and loses it. */
      readonly takenOver: readonly TakenOver[];
    }
  | { readonly kind: 'refuse'; readonly code: LinkRefusal };

export type LinkRefusal = 'identity_disabled' | 'email_in_use' | 'sign_up_disabled';

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
  readonly known: { readonly userId: number; readonly disabled: boolean } | null;
  /** Who has the provider's verified address, and number; null where it is free or where there is none. */
  readonly emailHolder: Holder | null;
  readonly phoneHolder: Holder | null;
}

/** What an identity claims for the user's own identifiers: what the provider verified and is trusted for. */
export interface TrustedClaims {
  readonly email: Identifier | null;
  readonly phone: Identifier | null;
}

/**
 * The identifiers that a provider's word is good for. An address that it did not verify, or is not trusted for, is kept
 * with the external identity for people to see, and is nobody's login.
 */
export function trustedClaims(
  identity: {
    readonly email?: { readonly address: string; readonly verified: boolean };
    readonly phone?: { readonly number: string; readonly verified: boolean };
  },
  policy: Pick<LinkingPolicy, 'trustedForEmail' | 'trustedForPhone'>,
): TrustedClaims {
  const { email, phone } = identity;
  const hasEmail =
    policy.trustedForEmail && email?.verified === true && emailSchema.safeParse(email.address).success;
  const hasPhone =
    policy.trustedForPhone && phone?.verified === true && phoneSchema.safeParse(phone.number).success;
  return {
    email: hasEmail ? toIdentifier('email', email.address) : null,
    phone: hasPhone ? toIdentifier('phone', phone.number) : null,
  };
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
  policy: Pick<LinkingPolicy, 'createUsers' | 'linkByEmail'>,
): AccountLinkDecision {
  const { known, emailHolder, phoneHolder } = candidates;
  if (known) {
    return known.disabled
      ? { kind: 'refuse', code: 'identity_disabled' }
      : { kind: 'known', userId: known.userId };
  }
  if (emailHolder?.verified) {
    return policy.linkByEmail === 'verified'
      ? { kind: 'link', userId: emailHolder.userId }
      : { kind: 'refuse', code: policy.createUsers ? 'email_in_use' : 'sign_up_disabled' };
  }
  if (!policy.createUsers) return { kind: 'refuse', code: 'sign_up_disabled' };
  const free = [
    { identifier: claims.email, holder: emailHolder },
    { identifier: claims.phone, holder: phoneHolder },
  ].flatMap(({ identifier, holder }) =>
    identifier !== null && !holder?.verified ? [{ identifier, holder }] : [],
  );
  return {
    kind: 'create',
    identifiers: free.map(({ identifier }) => identifier),
    takenOver: free.flatMap(({ identifier, holder }) =>
      holder ? [{ userId: holder.userId, identifier }] : [],
    ),
  };
}
