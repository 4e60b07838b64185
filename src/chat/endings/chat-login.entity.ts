import { EntitySchema } from 'typeorm';
import type { Columns } from '../../persistence/columns.js';

/**
 * Who was let into a chat with what. It refers to users and sessions without foreign keys: it has to outlive them, as
 * it says what there is to be ended. Instants in milliseconds since the epoch.
 */
export interface ChatLoginRow {
  id: number;
  chat_client_id: number;
  application_id: number;
  user_id: number;
  /** 0: with the account's password. */
  session_id: number;
  /** As the chat server knows them. */
  user_name: string;
  /** The virtual host that was asked for; empty where the chat server named none. */
  domain: string;
  /** The absolute end of the session, as it was then; null where there is none. */
  ends_at: number | null;
  first_at: number;
  /** When its chat was ended because the session ran into a limit. Null again after another login. */
  lapsed_at: number | null;
}

export const chatLoginRow = (c: Columns) =>
  new EntitySchema<ChatLoginRow>({
    name: 'chat_logins',
    tableName: 'chat_logins',
    columns: {
      id: c.bigId(),
      chat_client_id: c.integer(),
      application_id: c.integer(),
      user_id: c.integer(),
      session_id: c.bigInteger(),
      user_name: c.varchar(320),
      domain: c.varchar(255),
      ends_at: c.instant({ nullable: true }),
      first_at: c.instant(),
      lapsed_at: c.instant({ nullable: true }),
    },
    uniques: [
      {
        name: 'chat_logins_once',
        columns: ['session_id', 'user_id', 'chat_client_id', 'user_name', 'domain'],
      },
    ],
    indices: [
      { name: 'chat_logins_by_user', columns: ['user_id', 'session_id'] },
      { name: 'chat_logins_by_application', columns: ['application_id', 'session_id'] },
    ],
  });
