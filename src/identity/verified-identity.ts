/** The provider instance that vouches: a row of one application, never a name that a client sent. */
export interface ProviderRef {
  readonly id: number;
  readonly applicationId: number;
  readonly kind: string;
  readonly slug: string;
  /** Counts up with each change of the definition. */
  readonly version: number;
}

/** Claims for display, spelled as in OpenID Connect Core §5.1. */
export interface ProfileClaims {
  readonly name?: string;
  readonly preferred_username?: string;
  /** An https URL. */
  readonly picture?: string;
  /** A BCP 47 language tag. */
  readonly locale?: string;
}

/** What an operator's mapping takes over from a provider's answer into the underlying user, as it is to be stored. */
export interface MappedFields {
  readonly login?: string;
  readonly fullName?: string;
  readonly website?: string;
  readonly externalId?: string;
  readonly customData?: string;
  readonly locale?: string;
  readonly timezone?: string;
  readonly country?: string;
  /** Replace those the user has. */
  readonly tags?: readonly string[];
  /** JSON values by name; those that are not named stay. */
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** A token that its holder's app passed on may be traded once: whoever reads it later must not get in with it too. */
export interface OneTimeUse {
  /** The same for every presentation of one token: 64 hexadecimal digits. */
  readonly id: string;
  /** From then on the token is refused anyway. */
  readonly expiresAt: Date;
}

/** What an identity provider vouches for. */
export interface VerifiedIdentity {
  readonly provider: ProviderRef;
  /** The provider's own key for this person, as text. (provider, subject) is the account key; an address never is. */
  readonly subject: string;
  /** An address never travels without the provider's word on whether it was verified. */
  readonly email?: { readonly address: string; readonly verified: boolean };
  /** E.164, likewise. */
  readonly phone?: { readonly number: string; readonly verified: boolean };
  readonly profile: ProfileClaims;
  /** Where the operator maps fields of the user: these, and not what `profile` says of the same. */
  readonly user?: MappedFields;
  /**
   * A second thing that stays with a person as long as the subject does (the date they joined). When a known subject
   * comes with another one, the provider has given the subject to somebody else.
   */
  readonly continuity?: string;
  /** How it was proven: RFC 8176 values where one fits. */
  readonly amr: readonly string[];
  /** When the person proved it to the provider; when it was verified here, where the provider does not say. */
  readonly authTime: Date;
  /** The token may be traded once; the session keeps the id until then and refuses it the second time. */
  readonly oneTime?: OneTimeUse;
}
