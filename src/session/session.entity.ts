import { EntitySchema } from 'typeorm';
import type { SessionEndReason, SessionKind } from '../events/session-words.js';
import type { Columns } from '../persistence/columns.js';

/** A session, living or over. Instants in milliseconds since the epoch. */
export interface SessionRow {
  id: number;
  application_id: number;
  user_id: number | null;
  kind: SessionKind;
  provider: string | null;
  /** JSON array, RFC 8176 values. */
  amr: string;
  auth_time: number | null;
  /** SHA-256 of the access token in base64url; the token itself is nowhere. */
  token_hash: string;
  created_at: number;
  /** When the present limits began to run. */
  started_at: number;
  last_used_at: number;
  idle_seconds: number | null;
  absolute_expires_at: number | null;
  ended_at: number | null;
  end_reason: SessionEndReason | null;
}

export const sessionRow = (c: Columns) =>
  new EntitySchema<SessionRow>({
    name: 'sessions',
    tableName: 'sessions',
    columns: {
      id: c.bigId(),
      application_id: c.integer(),
      user_id: c.integer({ nullable: true }),
      kind: c.varchar(11),
      provider: c.varchar(64, { nullable: true }),
      amr: c.text(),
      auth_time: c.instant({ nullable: true }),
      token_hash: c.varchar(43),
      created_at: c.instant(),
      started_at: c.instant(),
      last_used_at: c.instant(),
      idle_seconds: c.integer({ nullable: true }),
      absolute_expires_at: c.instant({ nullable: true }),
      ended_at: c.instant({ nullable: true }),
      end_reason: c.varchar(32, { nullable: true }),
    },
    uniques: [{ name: 'sessions_token_hash', columns: ['token_hash'] }],
    indices: [{ name: 'sessions_by_user', columns: ['user_id', 'id'] }],
    foreignKeys: [
      {
        name: 'sessions_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
      {
        name: 'sessions_user',
        target: 'users',
        columnNames: ['user_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
