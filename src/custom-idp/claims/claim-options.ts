import { z } from 'zod';
import { mappingSchema } from '../mapping/mapping.schema.js';

/** OpenID Connect Core §5.1: what becomes of standard claims unless the operator maps the fields of the user otherwise. */
const STANDARD_CLAIMS = {
  uid: '#{sub}',
  email: '#{email}',
  phone: '#{phone_number}',
  full_name: '#{name}',
  avatar_url: '#{picture}',
  locale: '#{locale}',
  timezone: '#{zoneinfo}',
  website: '#{website}',
};

/** Issuers, audiences and client ids are compared character by character: no blanks that nobody sees. */
export const exactText = z
  .string()
  .max(512)
  .regex(/^[^\s\p{C}]+$/u, 'must be text without blanks');

export const exactTexts = z.array(exactText).min(1).max(50);

/** One or several. */
export const oneOrSeveral = z
  .union([exactText.transform((one) => [one]), exactTexts], 'must be a text, or a list of texts')
  .transform((texts): readonly string[] => texts);

/** What all kinds have whose answer is a set of claims. */
export const claimOptions = {
  mapping: mappingSchema(STANDARD_CLAIMS).prefault({}),
  /** Which claim says whether the e-mail address is verified. `email_verified` speaks of the claim `email` alone. */
  email_verified_claim: z.string().min(1).max(255).optional(),
};

export type ClaimOptions = z.output<z.ZodObject<typeof claimOptions>>;
