import { z } from 'zod';
import { inputError } from '../http/input.js';
import type { LinkingPolicy } from '../identity/linking-policy.js';
import type { KindDefaults } from '../identity/verifier-kind.js';

/** Policies as they are written in a definition; what is left out is as the kind has it. */
export const policiesSchema = z
  .strictObject({
    create_users: z.boolean().default(true).describe('Whether somebody unknown becomes a user'),
    link_by_email: z
      .enum(['never', 'verified'])
      .default('never')
      .describe('verified: lead to the user with the same e-mail address where both sides verified it'),
    trusted_for_email: z
      .boolean()
      .optional()
      .describe("Whether the provider's word that an address is verified counts"),
    trusted_for_phone: z.boolean().optional().describe('Likewise for phone numbers'),
    profile_sync: z
      .enum(['never', 'create', 'every_sign_in'])
      .default('create')
      .describe('When name and locale are taken over'),
    link_only: z.boolean().default(false).describe('Nobody signs in with it; it can be linked'),
    guest_conflict: z
      .enum(['keep_existing', 'refuse'])
      .default('keep_existing')
      .describe('A guest signs in with an identity that leads to another user'),
  })
  .prefault({});

export type Policies = z.infer<typeof policiesSchema>;

/** Policies that another version of the program may have stored. @throws BrokerError `validation_failed` */
export function parsePolicies(stored: unknown): Policies {
  const parsed = policiesSchema.safeParse(stored);
  if (!parsed.success) throw inputError(parsed.error.issues, ['policies']);
  return parsed.data;
}

/** The policies in force. */
export function toLinkingPolicy(policies: Policies, defaults: KindDefaults): LinkingPolicy {
  return {
    createUsers: policies.create_users,
    linkByEmail: policies.link_by_email,
    trustedForEmail: policies.trusted_for_email ?? defaults.trustedForEmail,
    trustedForPhone: policies.trusted_for_phone ?? defaults.trustedForPhone,
    profileSync: policies.profile_sync,
    linkOnly: policies.link_only,
    guestConflict: policies.guest_conflict,
  };
}
