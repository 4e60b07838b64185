/** What the operator wants done with the identities that one provider vouches for. */
export interface LinkingPolicy {
  /** Whether somebody nobody knows becomes a user. */
  readonly createUsers: boolean;
  /** `verified`: lead to an existing user when both sides have verified the e-mail address and the provider is trusted for it. */
  readonly linkByEmail: 'never' | 'verified';
  /** Lead to the existing user who has the login that the provider's answer is mapped to. Weaker: nothing was verified. */
  readonly linkByLogin: boolean;
  /** E-mail domains, in lower case: only people with an address there that the provider has verified; null: anybody. */
  readonly emailDomains: readonly string[] | null;
  /** Whether the provider's word that an e-mail address is verified counts. */
  readonly trustedForEmail: boolean;
  /** Likewise for phone numbers. */
  readonly trustedForPhone: boolean;
  /** When the user's name and locale are taken over from the provider. */
  readonly profileSync: 'never' | 'create' | 'every_sign_in';
  /** Whether its identities can be linked, and nobody can sign in with them. */
  readonly linkOnly: boolean;
  /** What becomes of a guest who signs in with an identity that leads to another user. */
  readonly guestConflict: 'keep_existing' | 'refuse';
}
