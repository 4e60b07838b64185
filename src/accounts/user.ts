/** An underlying user. Without the password hash, which never leaves `accounts` but for local-auth. */
export interface User {
  readonly id: number;
  readonly applicationId: number;
  readonly login: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly phone: string | null;
  readonly phoneVerified: boolean;
  readonly guest: boolean;
  readonly disabled: boolean;
  readonly profile: Profile;
  readonly lastRequestAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What people say of themselves. Nothing here decides who may do what. */
export interface Profile {
  readonly fullName: string | null;
  readonly website: string | null;
  readonly externalId: string | null;
  readonly customData: string | null;
  readonly tags: readonly string[];
  /** JSON values by name. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly locale: string | null;
  readonly timezone: string | null;
  readonly country: string | null;
}

export type ProfileInput = Partial<Profile>;

/** What a local sign-in needs to know of a user. */
export interface LocalCredential {
  readonly userId: number;
  /** PHC string; null: this user has no password. */
  readonly passwordHash: string | null;
  readonly credentialVersion: number;
  readonly guest: boolean;
  readonly disabled: boolean;
}

/** A user whom nothing but a session identifies, as far as it matters for how long to keep them. */
export interface Guest {
  readonly id: number;
  readonly applicationId: number;
  readonly lastRequestAt: number | null;
  readonly createdAt: number;
}
