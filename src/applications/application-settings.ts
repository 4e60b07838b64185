import { z } from 'zod';

const origin = z
  .string()
  .max(255)
  .regex(/^[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]+$/, {
    error: 'must be an origin such as https://app.example.com, without a path',
  });

const redirectUri = z
  .string()
  .max(2048)
  .refine((value) => URL.canParse(value) && !value.includes('#') && !/^(javascript|data):/i.test(value), {
    error: 'must be an absolute URI without a fragment',
  });

const directoryView = z.enum(['off', 'public_fields', 'full']);

/** `local`, a provider's slug, or both with the first one asked first. */
const passwordSignIn = z
  .string()
  .regex(/^(local|[a-z0-9][a-z0-9_-]{0,62})(,(local|[a-z0-9][a-z0-9_-]{0,62}))?$/, {
    error: 'must be local, a provider slug, or both separated by a comma',
  });

const days = 24 * 60 * 60;

/**
 * What can be set for one application. Only what differs from a default is stored, so that a better default reaches
 * every application that never chose. Names are part of the operating contract.
 */
export const applicationSettingsSchema = z.strictObject({
  session_idle_seconds: z
    .int()
    .min(1)
    .max(10 * 365 * days)
    .default(7200),
  session_absolute_seconds: z
    .int()
    .min(1)
    .max(10 * 365 * days)
    .default(30 * days),
  refresh_tokens: z.boolean().default(false),
  public_clients: z.boolean().default(false),
  sign_up: z.enum(['application_session', 'server_only', 'off']).default('application_session'),
  create_user_on_sign_in: z.boolean().default(false),
  guests: z.boolean().default(true),
  guest_idle_days: z.int().min(1).max(3650).default(30),
  password_min_length: z.int().min(4).max(64).default(8),
  common_passwords: z.enum(['refuse', 'allow']).default('refuse'),
  password_sign_in: passwordSignIn.default('local'),
  first_password: z.enum(['fresh_sign_in', 'session']).default('fresh_sign_in'),
  directory: z
    .strictObject({ user: directoryView, application: directoryView })
    .default({ user: 'public_fields', application: 'off' }),
  allowed_origins: z.array(origin).max(100).default([]),
  redirect_uris: z.array(redirectUri).max(100).default([]),
  chat: z.boolean().default(true),
  chat_password: z.boolean().default(false),
  chat_checks_count_as_use: z.boolean().default(true),
  chat_ends_when_idle: z.boolean().default(false),
  faces: z.array(z.enum(['connectycube', 'quickblox', 'kii', 'key-token'])).default([]),
});

export type ApplicationSettings = Readonly<z.infer<typeof applicationSettingsSchema>>;
export type SettingName = keyof ApplicationSettings;

/** Settings that later features read; setting them is remembered and has no effect yet. */
const NOT_IN_EFFECT: readonly SettingName[] = ['directory', 'faces'];

/** Faults of a `set`, one sentence each, each beginning with the name of the setting. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/**
 * Lays `changes` over the stored settings; null goes back to the default.
 *
 * @returns what is to be stored. @throws SettingsError naming every unknown key and bad value at once.
 */
export function changeSettings(
  stored: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = Object.entries({ ...stored, ...changes }).filter(([, value]) => value !== null);
  const next = Object.fromEntries(merged);
  const parsed = applicationSettingsSchema.safeParse(next);
  if (parsed.success) return next;
  throw new SettingsError(
    parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `${key}: there is no such setting`)
        : [`${issue.path.join('.')}: ${issue.message}`],
    ),
  );
}

/** What somebody who sets these should be told. */
export function settingWarnings(changes: Readonly<Record<string, unknown>>): string[] {
  const warnings = NOT_IN_EFFECT.filter((name) => changes[name] !== undefined && changes[name] !== null).map(
    (name) => `${name} is stored, but nothing in this version reads it.`,
  );
  const order = changes['password_sign_in'];
  if (typeof order === 'string' && order !== 'local') {
    warnings.push(
      'password_sign_in: passwords that users type for their local account are handed to the partner.',
    );
  }
  return warnings;
}

/**
 * Reads a value as typed on a command line: on/off for flags, whole numbers, commas between the items of a list,
 * `default` for the default.
 */
export function parseSettingText(name: string, value: string): unknown {
  if (value === 'default') return null;
  const shape: Readonly<Record<string, z.ZodType>> = applicationSettingsSchema.shape;
  const type = shape[name] instanceof z.ZodDefault ? shape[name].unwrap() : undefined;
  if (type instanceof z.ZodBoolean) return { on: true, true: true, off: false, false: false }[value] ?? value;
  if (type instanceof z.ZodNumber) return /^-?\d+$/.test(value) ? Number(value) : value;
  if (type instanceof z.ZodArray)
    return value === 'none' || value === '' ? [] : value.split(',').map((v) => v.trim());
  if (name === 'directory') return parseDirectory(value);
  return value;
}

/** `full` is for user sessions; `user:full,application:public_fields` names both. */
function parseDirectory(value: string): unknown {
  if (!value.includes(':')) return { user: value, application: 'off' };
  return {
    user: 'off',
    application: 'off',
    ...Object.fromEntries(value.split(',').map((part) => part.split(':'))),
  };
}
