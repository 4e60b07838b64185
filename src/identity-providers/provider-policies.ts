import { z } from 'zod';
import { inputError } from '../http/input.js';
import type { LinkingPolicy } from '../identity/linking-policy.js';
import type { AnswerLifetimes } from './answer-cache.js';
import type { KindDefaults } from '../identity/verifier-kind.js';

/** Policies as they are written in a definition; what is left out is as the kind has it. */
export const policiesSchema = z
  .strictObject({
    create_users: z.boolean().default(true).describe('Whether somebody unknown becomes a user'),
    link_by_email: z
      .enum(['never', 'verified'])
      .default('never')
      .describe('verified: lead to the user with the same e-mail address where both sides verified it'),
    reuse: z
      .array(z.enum(['verified_email', 'login']))
      .max(2)
      .default([])
      .describe(
        'Lead to an existing user: verified_email as link_by_email; login: who has the login that the mapping gives, which nobody has verified',
      ),
    email_domains: z
      .array(
        z.string().regex(/^(?=.{1,253}$)([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/, {
          error: 'must be a domain in lower case',
        }),
      )
      .min(1)
      .max(100)
      .optional()
      .describe('Only people with an address of these domains that the provider has verified'),
    negative_cache_seconds: z
      .int()
      .min(0)
      .max(300)
      .default(0)
      .describe('For as long a refused credential is refused without asking again'),
    positive_cache_seconds: z
      .int()
      .min(0)
      .max(300)
      .default(0)
      .describe('For as long an accepted credential is accepted without asking again, revoked or not'),
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

/** For how long a provider's answers are remembered. */
export function toAnswerLifetimes(policies: Policies): AnswerLifetimes {
  return {
    refusedSeconds: policies.negative_cache_seconds,
    provenSeconds: policies.positive_cache_seconds,
  };
}

/** What an operator should know of these policies. */
export function policyWarnings(policies: Policies): readonly string[] {
  return [
    ...(policies.reuse.includes('login')
      ? ['reuse: "login" lets the provider sign in as any user of the application whose login it names']
      : []),
    ...(policies.positive_cache_seconds > 0
      ? [
          `positive_cache_seconds: a credential that the provider revokes is accepted for up to ${policies.positive_cache_seconds} s more`,
        ]
      : []),
  ];
}

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
    linkByEmail: policies.reuse.includes('verified_email') ? 'verified' : policies.link_by_email,
    linkByLogin: policies.reuse.includes('login'),
    emailDomains: policies.email_domains ?? null,
    trustedForEmail: policies.trusted_for_email ?? defaults.trustedForEmail,
    trustedForPhone: policies.trusted_for_phone ?? defaults.trustedForPhone,
    profileSync: policies.profile_sync,
    linkOnly: policies.link_only,
    guestConflict: policies.guest_conflict,
  };
}
