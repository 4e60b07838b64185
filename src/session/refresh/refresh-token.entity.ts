import { EntitySchema } from 'typeorm';
import type { Columns } from '../../persistence/columns.js';

/** A refresh token of a session, used or not. Rows of a session are its family and go when the session goes. */
export interface RefreshTokenRow {
  /** SHA-256 in base64url, as for access tokens. */
  token_hash: string;
  /** Of the access token that was issued together with it. */
  access_token_hash: string;
  session_id: number;
  created_at: number;
  /** When it was traded for its successor; null while it can be. */
  used_at: number | null;
}

export const refreshTokenRow = (c: Columns) =>
  new EntitySchema<RefreshTokenRow>({
    name: 'refresh_tokens',
    tableName: 'refresh_tokens',
    withoutRowid: true,
    columns: {
      token_hash: c.varchar(43, { primary: true }),
      access_token_hash: c.varchar(43),
      session_id: c.bigInteger(),
      created_at: c.instant(),
      used_at: c.instant({ nullable: true }),
    },
    uniques: [{ name: 'refresh_tokens_access_token_hash', columns: ['access_token_hash'] }],
    indices: [{ name: 'refresh_tokens_by_session', columns: ['session_id'] }],
    foreignKeys: [
      {
        name: 'refresh_tokens_session',
        target: 'sessions',
        columnNames: ['session_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
