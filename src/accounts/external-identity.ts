import type { ProfileClaims } from '../identity/verified-identity.js';

/** A stored identity of a user. */
export interface ExternalIdentity {
  readonly id: number;
  readonly providerId: number;
  /** The slug of the provider. */
  readonly provider: string;
  readonly subject: string;
  readonly userId: number;
  readonly disabled: boolean;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly profile: ProfileClaims;
  readonly createdAt: number;
  readonly lastUsedAt: number;
}
