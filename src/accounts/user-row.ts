import type { User } from './user.js';
import type { UserRow } from './user.entity.js';

/** Every column but the password's hash: named, so that a connection can keep the statement prepared. */
const columns = {
  id: true,
  application_id: true,
  login: true,
  login_key: true,
  email: true,
  email_key: true,
  email_verified: true,
  phone: true,
  phone_key: true,
  phone_verified: true,
  credential_version: true,
  guest: true,
  disabled: true,
  full_name: true,
  website: true,
  external_id: true,
  custom_data: true,
  tags: true,
  attributes: true,
  locale: true,
  timezone: true,
  country: true,
  last_request_at: true,
  created_at: true,
  updated_at: true,
} satisfies Record<keyof ReadableUserRow, true>;

/** A user's row as statements of our own read it: without what nobody but local-auth needs. */
export type ReadableUserRow = Omit<UserRow, 'password_hash'>;

/** For the list of a SELECT from `users u`. */
export const USER_COLUMNS = Object.keys(columns)
  .map((name) => `u.${name}`)
  .join(', ');

/** A row as a statement of our own read it: SQLite's flags are numbers, PostgreSQL's large numbers may be texts. */
export function toUser(row: ReadableUserRow): User {
  return {
    id: row.id,
    applicationId: row.application_id,
    login: row.login,
    email: row.email,
    emailVerified: Boolean(row.email_verified),
    phone: row.phone,
    phoneVerified: Boolean(row.phone_verified),
    guest: Boolean(row.guest),
    disabled: Boolean(row.disabled),
    profile: {
      fullName: row.full_name,
      website: row.website,
      externalId: row.external_id,
      customData: row.custom_data,
      tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
      attributes: row.attributes === null ? {} : (JSON.parse(row.attributes) as Record<string, unknown>),
      locale: row.locale,
      timezone: row.timezone,
      country: row.country,
    },
    lastRequestAt: row.last_request_at === null ? null : Number(row.last_request_at),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
  };
}
