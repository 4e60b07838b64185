import { z } from 'zod';
import { identifierShape, type Identifiers, toIdentifier, type Identifier } from '../accounts/identifiers.js';
import type { ProfileInput } from '../accounts/user.js';
import { BrokerError } from '../errors/broker-error.js';
import { inputError, line, passwordText, text } from '../http/input.js';
import { MAX_PASSWORD_CHARACTERS } from '../local-auth/password-policy.js';
import type { Presented, PresentedIdentity } from '../local-auth/ways-in.service.js';

const MAX_CUSTOM_DATA = 5000;
const MAX_SESSIONS_PAGE = 100;

const password = passwordText(MAX_PASSWORD_CHARACTERS);

const isLocale = (value: string): boolean => {
  try {
    return Intl.getCanonicalLocales(value).length === 1;
  } catch {
    return false;
  }
};
const isTimezone = (value: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
};

const profileShape = {
  full_name: line(255).optional(),
  website: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(2048)
    .optional(),
  external_id: line(255)
    .optional()
    .describe('An id of your own, for display and search. No sign-in goes by it.'),
  custom_data: text(MAX_CUSTOM_DATA).optional(),
  locale: line(35).refine(isLocale, { error: 'must be a BCP 47 language tag' }).optional(),
  timezone: line(64).refine(isTimezone, { error: 'must be an IANA time zone' }).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, { error: 'must be two capital letters (ISO 3166-1)' })
    .optional(),
};

const passwordCredential = z
  .strictObject({
    // Looser than at sign-up: what cannot be anybody's name is nobody's, and gets the answer that all of those get.
    login: text(255).optional(),
    email: text(254).optional(),
    phone: text(32).optional(),
    password,
  })
  .refine((given) => namesGiven(given).length === 1, {
    error: 'needs exactly one of login, email and phone',
    params: { code: 'identifier_required' },
  })
  .meta({ title: 'provider "password"' });

const guestCredential = z.strictObject(profileShape).meta({ title: 'provider "guest"' });

/** Which credential each built-in provider takes. */
const credentialSchemas = { password: passwordCredential, guest: guestCredential } as const;

/** RFC 7636 §4.1 and §4.2. */
const codeVerifier = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{43,128}$/, { error: 'must be a code verifier (RFC 7636): 43 to 128 characters' });
const codeChallenge = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43}$/, { error: 'must be a code challenge (RFC 7636, S256): 43 characters' });

const presentedShape = {
  provider: line(64)
    .optional()
    .describe('password, guest, or the slug of an identity provider of the application'),
  code: text(255).optional().describe('Of a browser sign-in, instead of provider and credential'),
  code_verifier: codeVerifier.optional().describe('To which the code_challenge of that sign-in belongs'),
  credential: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({
      anyOf: [
        ...Object.values(credentialSchemas).map((schema) => z.toJSONSchema(schema, { io: 'input' })),
        { type: 'object', title: 'any other provider: as its kind has it' },
      ],
    }),
};

export const refreshBody = z.strictObject({ refresh_token: text(255) });

export const signInBody = z.strictObject(presentedShape);

/** A fresh credential for an identity to link. */
export const linkBody = z.strictObject(presentedShape);

export const startRedirectBody = z.strictObject({
  redirect_uri: text(2048).describe("One of the application's redirect_uris, letter for letter"),
  code_challenge: codeChallenge.describe('S256 of a code verifier that the app keeps to itself'),
  state: text(512).optional().describe('Comes back beside the code'),
  application_id: z.int().positive().optional().describe('Public clients only, instead of HTTP Basic'),
  auth_key: text(64).optional().describe('Public clients only, instead of HTTP Basic'),
});

export const issueNonceBody = z
  .strictObject({
    application_id: z.int().positive().optional().describe('Public clients only, instead of HTTP Basic'),
    auth_key: text(64).optional().describe('Public clients only, instead of HTTP Basic'),
  })
  .prefault({});

export const beginSessionBody = z
  .strictObject({
    ...presentedShape,
    application_id: z.int().positive().optional().describe('Public clients only, instead of HTTP Basic'),
    auth_key: text(64).optional().describe('Public clients only, instead of HTTP Basic'),
  })
  .prefault({});

export const signUpBody = z
  .strictObject({
    login: identifierShape.login.optional(),
    email: identifierShape.email.optional(),
    phone: identifierShape.phone.optional(),
    password,
    ...profileShape,
  })
  .refine((given) => namesGiven(given).length > 0, {
    error: 'needs a login, e-mail address or phone number',
    params: { code: 'identifier_required' },
  });

export const changePasswordBody = z.strictObject({
  old_password: password.optional(),
  password,
  login: identifierShape.login.optional(),
  email: identifierShape.email.optional(),
  phone: identifierShape.phone.optional(),
});

export const sessionsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_SESSIONS_PAGE).default(MAX_SESSIONS_PAGE),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, { error: 'must be a next_cursor of an earlier page' })
    .optional(),
});

/**
 * What a body presents to get in, or null when it presents nothing.
 *
 * @throws BrokerError `validation_failed`; `unknown_identity_provider`
 */
export function toPresented(body: z.infer<typeof signInBody>): Presented | null {
  const { provider, credential, code, code_verifier } = body;
  if (code !== undefined || code_verifier !== undefined) return toTradedCode(body);
  if (provider === undefined) {
    if (credential === undefined) return null;
    throw missing('provider', 'says what the credential is for');
  }
  if (provider === 'password') {
    const given = parseCredential(passwordCredential, credential);
    return { provider, identifier: onlyIdentifier(given), password: given.password };
  }
  if (provider === 'guest')
    return { provider, profile: toProfile(parseCredential(guestCredential, credential ?? {})) };
  return { provider: 'foreign', slug: provider, credential };
}

/** What a body presents, where something has to be. @throws BrokerError `validation_failed` */
export function toPresentedHere(body: z.infer<typeof signInBody>): Presented {
  const presented = toPresented(body);
  if (presented) return presented;
  throw missing('provider', 'or code says what is presented');
}

/** @throws BrokerError `validation_failed`; `unknown_identity_provider` for what proves no identity */
export function toPresentedIdentity(body: z.infer<typeof linkBody>): PresentedIdentity {
  const presented = toPresentedHere(body);
  if (presented.provider === 'foreign' || presented.provider === 'redirect') return presented;
  throw new BrokerError('unknown_identity_provider');
}

function toTradedCode({ provider, credential, code, code_verifier }: z.infer<typeof signInBody>): Presented {
  if (code === undefined) throw missing('code', 'is what the code verifier is for');
  if (code_verifier === undefined) throw missing('code_verifier', 'is needed with a code');
  if (provider !== undefined || credential !== undefined) {
    const pointer = provider === undefined ? '/credential' : '/provider';
    throw new BrokerError('validation_failed', {
      errors: [{ pointer, code: 'not_allowed', detail: 'has no place beside a code' }],
    });
  }
  return { provider: 'redirect', code, codeVerifier: code_verifier };
}

function missing(field: string, detail: string): BrokerError {
  return new BrokerError('validation_failed', {
    errors: [{ pointer: `/${field}`, code: 'required', detail }],
  });
}

function parseCredential<T>(schema: z.ZodType<T>, credential: unknown): T {
  const parsed = schema.safeParse(credential);
  if (!parsed.success) throw inputError(parsed.error.issues, ['credential']);
  return parsed.data;
}

export function toProfile(given: z.infer<typeof guestCredential>): ProfileInput {
  const { full_name, website, external_id, custom_data, locale, timezone, country } = given;
  return {
    fullName: full_name ?? null,
    website: website ?? null,
    externalId: external_id ?? null,
    customData: custom_data ?? null,
    locale: locale ?? null,
    timezone: timezone ?? null,
    country: country ?? null,
  };
}

/** The identifiers of a body, without the fields that are not there. */
export function givenIdentifiers(body: Named): Identifiers {
  return Object.fromEntries(namesGiven(body));
}

interface Named {
  readonly login?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
}

function namesGiven({ login, email, phone }: Named): [keyof Named, string][] {
  return Object.entries({ login, email, phone }).filter(([, value]) => value !== undefined) as [
    keyof Named,
    string,
  ][];
}

function onlyIdentifier(given: Named): Identifier {
  const [kind, value] = namesGiven(given)[0]!;
  return toIdentifier(kind, value);
}
