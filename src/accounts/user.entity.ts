import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** An underlying user of one application. */
export interface UserRow {
  id: number;
  application_id: number;
  login: string | null;
  /** What `login` is compared by; the same for `email_key` and `phone_key`. */
  login_key: string | null;
  email: string | null;
  email_key: string | null;
  email_verified: boolean;
  phone: string | null;
  phone_key: string | null;
  phone_verified: boolean;
  /** A PHC string of local-auth's making; null for users who sign in elsewhere. */
  password_hash: string | null;
  /** Grows with every change of the password; a sign-in that proved an older one begins nothing. */
  credential_version: number;
  guest: boolean;
  disabled: boolean;
  full_name: string | null;
  website: string | null;
  /** For display and search. No sign-in resolves through it. */
  external_id: string | null;
  custom_data: string | null;
  /** JSON: a list of texts. */
  tags: string | null;
  /** JSON: an object. */
  attributes: string | null;
  locale: string | null;
  timezone: string | null;
  country: string | null;
  last_request_at: number | null;
  created_at: number;
  updated_at: number;
}

export const userRow = (c: Columns) =>
  new EntitySchema<UserRow>({
    name: 'users',
    tableName: 'users',
    columns: {
      id: c.id(),
      application_id: c.integer(),
      login: c.varchar(255, { nullable: true }),
      login_key: c.varchar(255, { nullable: true }),
      email: c.varchar(254, { nullable: true }),
      email_key: c.varchar(254, { nullable: true }),
      email_verified: c.flag(),
      phone: c.varchar(32, { nullable: true }),
      phone_key: c.varchar(32, { nullable: true }),
      phone_verified: c.flag(),
      password_hash: c.text({ nullable: true }),
      credential_version: c.integer(),
      guest: c.flag(),
      disabled: c.flag(),
      full_name: c.varchar(255, { nullable: true }),
      website: c.varchar(2048, { nullable: true }),
      external_id: c.varchar(255, { nullable: true }),
      custom_data: c.text({ nullable: true }),
      tags: c.text({ nullable: true }),
      attributes: c.text({ nullable: true }),
      locale: c.varchar(35, { nullable: true }),
      timezone: c.varchar(64, { nullable: true }),
      country: c.varchar(2, { nullable: true }),
      last_request_at: c.instant({ nullable: true }),
      created_at: c.instant(),
      updated_at: c.instant(),
    },
    uniques: [
      { name: 'users_login', columns: ['application_id', 'login_key'] },
      { name: 'users_email', columns: ['application_id', 'email_key'] },
      { name: 'users_phone', columns: ['application_id', 'phone_key'] },
    ],
    foreignKeys: [
      {
        name: 'users_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
