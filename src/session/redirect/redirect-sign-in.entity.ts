import { EntitySchema } from 'typeorm';
import type { Columns } from '../../persistence/columns.js';

/** A browser on its way to a provider and back. */
export interface RedirectSignInRow {
  /** Of what the callback is recognised by; what it is itself, only the browser has. */
  state_hash: string;
  application_id: number;
  provider_id: number;
  /** The session that sent the browser off, and alone can use what it brings back; null: it will be a new one. */
  session_id: number | null;
  redirect_uri: string;
  /** What the app wants to have back beside its code. */
  client_state: string | null;
  /** RFC 7636, S256. */
  code_challenge: string;
  /** `Secrets.encrypt`: until the callback what the provider's leg needs, from then on the verified identity. */
  sealed: string;
  /** Of the one-time code, once the browser is back. */
  code_hash: string | null;
  expires_at: number;
}

export const redirectSignInRow = (c: Columns) =>
  new EntitySchema<RedirectSignInRow>({
    name: 'redirect_sign_ins',
    tableName: 'redirect_sign_ins',
    columns: {
      state_hash: c.varchar(43, { primary: true }),
      application_id: c.integer(),
      provider_id: c.integer(),
      session_id: c.bigInteger({ nullable: true }),
      redirect_uri: c.text(),
      client_state: c.text({ nullable: true }),
      code_challenge: c.varchar(43),
      sealed: c.text(),
      code_hash: c.varchar(43, { nullable: true }),
      expires_at: c.instant(),
    },
    uniques: [{ name: 'redirect_sign_ins_code', columns: ['code_hash'] }],
    indices: [{ name: 'redirect_sign_ins_by_end', columns: ['expires_at'] }],
    foreignKeys: [
      {
        name: 'redirect_sign_ins_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
      {
        name: 'redirect_sign_ins_provider',
        target: 'identity_providers',
        columnNames: ['provider_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
