import { EntitySchema } from 'typeorm';
import type { Columns } from '../persistence/columns.js';

/** Something to be delivered. It goes with its delivery; only what nobody took stays. Instants in milliseconds since the epoch. */
export interface OutboxMessageRow {
  id: number;
  topic: string;
  /** Whom it goes to: what one of them does holds up none of the others. */
  target: string;
  /** Two messages that have the same one are one, as long as the first is here. */
  deduplication_key: string | null;
  /** JSON. Never a secret: what a delivery needs of those is looked up when it is made. */
  payload: string;
  /** From when on it may be taken; of one that is being delivered, when its claim lapses. Null: given up. */
  due_at: number | null;
  /** Who delivers it at the moment. */
  claimed_by: string | null;
  attempts: number;
  /** A word of ours. */
  last_error: string | null;
  created_at: number;
  /** A failure after this is the last one. */
  give_up_at: number;
  failed_at: number | null;
}

export const outboxMessageRow = (c: Columns) =>
  new EntitySchema<OutboxMessageRow>({
    name: 'outbox_messages',
    tableName: 'outbox_messages',
    columns: {
      id: c.bigId(),
      topic: c.varchar(64),
      target: c.varchar(128),
      deduplication_key: c.varchar(255, { nullable: true }),
      payload: c.text(),
      due_at: c.instant({ nullable: true }),
      claimed_by: c.varchar(128, { nullable: true }),
      attempts: c.integer(),
      last_error: c.varchar(64, { nullable: true }),
      created_at: c.instant(),
      give_up_at: c.instant(),
      failed_at: c.instant({ nullable: true }),
    },
    uniques: [{ name: 'outbox_messages_once', columns: ['deduplication_key'] }],
    indices: [{ name: 'outbox_messages_by_target', columns: ['target', 'due_at', 'id'] }],
  });
