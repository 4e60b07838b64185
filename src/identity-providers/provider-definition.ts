import { z } from 'zod';
import { BrokerError, type InputFault } from '../errors/broker-error.js';
import { inputError } from '../http/input.js';
import type { VerifierKind } from '../identity/verifier-kind.js';
import type { IdentityProvider } from './identity-provider.js';
import { policiesSchema, policyWarnings, toLinkingPolicy, type Policies } from './provider-policies.js';
import { MAX_SLUG, SLUG } from './provider-slug.js';
import { carrySecrets, redactSecrets } from './secret-options.js';

/** Names that clients know as something else. The kind that a name belongs to may use it. */
const RESERVED = ['password', 'guest', 'facebook', 'twitter', 'firebase', 'firebase_phone', 'firebase_email'];

const optionsShape = z.record(z.string(), z.unknown());

/** A definition as people write it, in YAML or JSON. Its options are for its kind to judge. */
export const definitionSchema = z.strictObject({
  kind: z.string().min(1).max(32).describe('facebook, twitter, firebase, http, …'),
  slug: z
    .string()
    .max(MAX_SLUG)
    .regex(SLUG, { error: 'must be lower-case letters, digits, hyphens and underscores' })
    .describe('By which clients name it'),
  enabled: z.boolean().default(true),
  options: optionsShape.describe('As its kind has them'),
  policies: policiesSchema,
});

/** A definition that takes the place of one with the same kind and slug. */
export const replacementSchema = definitionSchema
  .omit({ slug: true })
  .extend({ kind: definitionSchema.shape.kind.optional(), slug: definitionSchema.shape.slug.optional() });

export type Definition = z.infer<typeof definitionSchema>;
export type Replacement = z.infer<typeof replacementSchema>;

/** @throws BrokerError `validation_failed` for a slug that another kind's clients know. */
export function refuseReservedSlug(slug: string, kind: VerifierKind): void {
  if (!RESERVED.includes(slug) || kind.reservedSlug === slug) return;
  throw fault('/slug', 'reserved', `"${slug}" is the name of something else`);
}

/** @throws BrokerError `validation_failed` for a replacement that would be another kind or have another name. */
export function refuseMove(change: Replacement, present: Pick<IdentityProvider, 'kind' | 'slug'>): void {
  for (const name of ['kind', 'slug'] as const) {
    if (change[name] !== undefined && change[name] !== present[name]) {
      throw fault(`/${name}`, 'not_allowed', 'cannot be changed');
    }
  }
}

/**
 * What the kind makes of options. What is stored is what was given: defaults are those of the version that runs.
 *
 * @throws BrokerError `validation_failed` with a fault for each thing that is wrong; nothing repeats a value.
 */
export function parseOptions(kind: VerifierKind, options: unknown): unknown {
  const parsed = kind.optionsSchema.safeParse(options);
  if (!parsed.success) throw inputError(parsed.error.issues, ['options']);
  return parsed.data;
}

/**
 * New options for a provider that is there. Secrets may be left out, unless what they are sent to has changed: whoever
 * may change an address must not have the secret sent to it without knowing it.
 *
 * @throws BrokerError `validation_failed`
 */
export function replaceOptions(
  kind: VerifierKind,
  given: Readonly<Record<string, unknown>>,
  present: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { options, carried } = carrySecrets(given, present, kind.secretPaths, isPublicOf(kind));
  const parsed = parseOptions(kind, options);
  const before = kind.optionsSchema.safeParse(present);
  const sent = (value: unknown) => kind.secretDestinations(value).toSorted().join('\n');
  if (carried.length > 0 && (!before.success || sent(before.data) !== sent(parsed))) {
    throw new BrokerError('validation_failed', {
      errors: carried.map((pointer) => ({
        pointer: `/options${pointer}`,
        code: 'secret_required',
        detail: 'has to be given again, as the address it is sent to changes',
      })),
    });
  }
  return options;
}

/** What is shown of a provider: everything but its secrets. */
export function toProviderDocument(
  provider: IdentityProvider,
  kind: VerifierKind | undefined,
  fingerprint: (secret: string) => string,
) {
  const { slug, version, enabled, policies } = provider;
  return {
    application_id: provider.applicationId,
    slug,
    kind: provider.kind,
    enabled,
    version,
    // Of a kind that is not there nobody knows what is secret.
    options: kind ? shownOptions(provider.options, kind, fingerprint) : {},
    policies: kind ? policiesInForce(policies, kind) : policies,
    warnings: warningsOf(provider, kind),
    created_at: new Date(provider.createdAt).toISOString(),
    updated_at: new Date(provider.updatedAt).toISOString(),
  };
}

export type ProviderDocument = ReturnType<typeof toProviderDocument>;

/** The options, secrets as fingerprints. */
export function shownOptions(
  options: IdentityProvider['options'],
  kind: VerifierKind,
  fingerprint: (secret: string) => string,
): IdentityProvider['options'] {
  return redactSecrets(options, kind.secretPaths, fingerprint, isPublicOf(kind));
}

function isPublicOf(kind: VerifierKind): (value: string) => boolean {
  return (value) => kind.isPublic?.(value) ?? false;
}

function policiesInForce(policies: Policies, kind: VerifierKind): Policies {
  const inForce = toLinkingPolicy(policies, kind.defaults);
  return {
    ...policies,
    trusted_for_email: inForce.trustedForEmail,
    trusted_for_phone: inForce.trustedForPhone,
  };
}

function warningsOf(
  { options, policies }: IdentityProvider,
  kind: VerifierKind | undefined,
): readonly string[] {
  if (!kind) return ['This server knows no such kind; nobody can sign in with it.'];
  const parsed = kind.optionsSchema.safeParse(options);
  if (!parsed.success) return ['The options are not what this version takes; set them anew.'];
  return [...kind.warnings(parsed.data), ...policyWarnings(policies)];
}

function fault(pointer: string, code: string, detail: string): BrokerError {
  const errors: readonly InputFault[] = [{ pointer, code, detail }];
  return new BrokerError('validation_failed', { errors });
}
