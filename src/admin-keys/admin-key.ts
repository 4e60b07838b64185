/** What a key may do: each role also all that the ones before it may. */
export const adminRoles = ['viewer', 'operator', 'owner'] as const;
export type AdminRole = (typeof adminRoles)[number];

/** Somebody's or something's way into the admin API. The key itself is known to its holder only. */
export interface AdminKey {
  readonly id: number;
  /** For people. */
  readonly name: string | null;
  readonly role: AdminRole;
  readonly createdAt: number;
  /** Null while it is in force. */
  readonly revokedAt: number | null;
  /** To the minute; null before the first use. */
  readonly lastUsedAt: number | null;
}

/** Whether a role may do what another one is needed for. */
export function roleSuffices(role: AdminRole, needed: AdminRole): boolean {
  return adminRoles.indexOf(role) >= adminRoles.indexOf(needed);
}
