import { EntitySchema } from 'typeorm';
import type { Columns } from '../../persistence/columns.js';

export interface ChatClientRow {
  id: number;
  name: string;
  /** Null: for the whole installation. */
  application_id: number | null;
  /** SHA-256 in base64url. */
  secret_hash: string;
  /** `Secrets.encrypt` of a JSON object: how its live connections are ended. */
  administration: string | null;
  created_at: number;
  revoked_at: number | null;
  last_used_at: number | null;
}

export const chatClientRow = (c: Columns) =>
  new EntitySchema<ChatClientRow>({
    name: 'chat_clients',
    tableName: 'chat_clients',
    columns: {
      id: c.id(),
      name: c.varchar(100),
      application_id: c.integer({ nullable: true }),
      secret_hash: c.varchar(43),
      administration: c.text({ nullable: true }),
      created_at: c.instant(),
      revoked_at: c.instant({ nullable: true }),
      last_used_at: c.instant({ nullable: true }),
    },
    uniques: [{ name: 'chat_clients_secret_hash', columns: ['secret_hash'] }],
    indices: [{ name: 'chat_clients_by_application', columns: ['application_id'] }],
    foreignKeys: [
      {
        name: 'chat_clients_application',
        target: 'applications',
        columnNames: ['application_id'],
        referencedColumnNames: ['id'],
        onDelete: 'CASCADE',
      },
    ],
  });
