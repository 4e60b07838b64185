import { z } from 'zod';
import { line, text } from '../../http/input.js';

/** What the operator may ask of a value. */
export const valueTypes = ['string', 'number', 'boolean', 'list'] as const;
export type ValueType = (typeof valueTypes)[number];

/** A field of the user that a mapping may fill. */
export interface MappingTarget {
  readonly name: string;
  /** From a value to what is kept; what it does not take does not fit. */
  readonly fits: z.ZodType;
  /** What would fit, in words for the operator. */
  readonly wants: string;
  readonly types: readonly ValueType[];
}

const MAX_CUSTOM_DATA = 5000;
const MAX_TAGS = 50;
const MAX_TAG = 64;
const MAX_ATTRIBUTE_CHARACTERS = 4096;

export const MAX_ATTRIBUTES = 32;
export const MAX_ATTRIBUTES_CHARACTERS = 16 * 1024;

const ATTRIBUTE = /^attributes\.([A-Za-z_][A-Za-z0-9_]{0,63})$/;
const NOT_DATA = new Set(['__proto__', 'constructor', 'prototype']);

/** Who somebody is to us, and what they may do, is never a partner's to say (C-14). */
const PROTECTED = new Set([
  ...['id', 'user_id', 'application_id', 'app_id', 'account_id', 'owner_id', 'blob_id', 'guest', 'disabled'],
  ...[
    'role',
    'roles',
    'is_admin',
    'admin',
    'permissions',
    'scope',
    'banned_until',
    'banned',
    'credential_version',
  ],
  ...['email_verified', 'phone_verified', 'password', 'password_hash', 'encrypted_password', 'old_password'],
  ...[
    'created_at',
    'updated_at',
    'last_request_at',
    'is_guest',
    'facebook_id',
    'twitter_id',
    'subject',
    'provider',
  ],
]);

/** Names that the two vendors' definitions have. */
const ALIASES: Readonly<Record<string, string>> = { external_user_id: 'external_id', tag_list: 'tags' };

/** Numbers are ids and telephone numbers to those who write them so. */
const asText = (schema: z.ZodType) =>
  z.preprocess((value) => (Number.isSafeInteger(value) ? String(value) : value), schema);

const TEXT = ['string', 'number'] as const;
const target = (
  name: string,
  schema: z.ZodType,
  wants: string,
  types: readonly ValueType[] = TEXT,
): [string, MappingTarget] => [name, { name, fits: asText(schema), wants, types }];

const targets = new Map<string, MappingTarget>([
  // Judged by `toSubject`.
  target('uid', z.unknown(), 'text or a whole number'),
  target('login', line(255).refine(isLogin), 'one line of at most 255 characters without spaces around it'),
  target('email', z.email().max(254), 'an e-mail address'),
  target('phone', line(32).transform(phoneDigits).refine(isPhone), 'a phone number such as +15550100'),
  target('full_name', line(255), 'one line of at most 255 characters'),
  target('website', z.url({ protocol: /^https?$/ }).max(2048), 'an http or https URL'),
  target('external_id', line(255), 'one line of at most 255 characters'),
  target(
    'custom_data',
    z.preprocess(jsonText, text(MAX_CUSTOM_DATA)),
    `text, or JSON, of at most ${MAX_CUSTOM_DATA} characters`,
    valueTypes,
  ),
  target('locale', z.string().max(64).transform(toLocale).pipe(z.string().max(35)), 'a BCP 47 language tag'),
  target('timezone', line(64).refine(isTimezone), 'an IANA time zone'),
  target(
    'country',
    z
      .string()
      .regex(/^[A-Za-z]{2}$/)
      .toUpperCase(),
    'two letters (ISO 3166-1)',
  ),
  target('avatar_url', z.url({ protocol: /^https$/ }).max(2048), 'an https URL'),
  target(
    'tags',
    z.preprocess(toTags, z.array(line(MAX_TAG)).max(MAX_TAGS)),
    `at most ${MAX_TAGS} texts of at most ${MAX_TAG} characters, as a list or with commas between them`,
    ['string', 'list'],
  ),
  target('continuity', line(255), 'one line of at most 255 characters'),
]);

const attributeSchema = z.unknown().refine(isPlainJson);

/**
 * The field that a mapping names; a text where there is none, which says why.
 *
 * @param name as the operator wrote it.
 */
export function findTarget(name: string): MappingTarget | string {
  const known = targets.get(Object.hasOwn(ALIASES, name) ? ALIASES[name]! : name);
  if (known) return known;
  if (PROTECTED.has(name)) return 'is never taken from a partner';
  const attribute = ATTRIBUTE.exec(name)?.[1];
  if (attribute === undefined || NOT_DATA.has(attribute)) {
    return `is no field that can be mapped: ${[...targets.keys()].join(', ')}, attributes.<name>`;
  }
  const wants = `JSON of at most ${MAX_ATTRIBUTE_CHARACTERS} characters`;
  return { name, fits: attributeSchema, wants, types: valueTypes };
}

function isLogin(login: string): boolean {
  return login === login.trim() && login.normalize('NFKC').length <= 255;
}

function phoneDigits(phone: string): string {
  return phone.replace(/[\s().-]/g, '').replace(/^00/, '+');
}

/** ITU-T E.164 allows 15 digits; short codes have at least 5. */
function isPhone(phone: string): boolean {
  return /^\+?[0-9]{5,15}$/.test(phone);
}

/** Some write `en_US`. */
function toLocale(value: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(value.replace('_', '-'))[0];
  } catch {
    return undefined;
  }
}

function isTimezone(value: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: value }) instanceof Intl.DateTimeFormat;
  } catch {
    return false;
  }
}

function toTags(value: unknown): unknown {
  const given = typeof value === 'string' ? value.split(',', MAX_TAGS * 2) : value;
  if (!Array.isArray(given)) return given;
  const tags = given.map((one: unknown) => (Number.isSafeInteger(one) ? String(one) : one));
  const trimmed = tags.map((one) => (typeof one === 'string' ? one.trim() : one));
  return [...new Set(trimmed.filter((one) => one !== ''))];
}

function jsonText(value: unknown): unknown {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What `JSON.stringify` writes as it is; names that would change an object wherever it is copied are not in it. */
function isPlainJson(value: unknown): boolean {
  return isHarmless(value) && JSON.stringify(value).length <= MAX_ATTRIBUTE_CHARACTERS;
}

function isHarmless(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0');
  if (typeof value !== 'object' || value === null) return value === null || typeof value === 'boolean';
  if (Array.isArray(value)) return value.every(isHarmless);
  return Object.entries(value).every(
    ([key, part]) => !NOT_DATA.has(key) && isHarmless(key) && isHarmless(part),
  );
}
