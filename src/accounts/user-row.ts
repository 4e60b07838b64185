import type { User } from './user.js';
import type { UserRow } from './user.entity.js';

/** A row as a statement of our own read it: SQLite's flags are numbers, PostgreSQL's large numbers may be texts. */
export function toUser(row: UserRow): User {
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
