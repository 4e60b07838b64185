import { z } from 'zod';
import type { OutboxEntry } from './outbox-message.js';

/** A message as the admin API and the command line show it: how its delivery stands, and never what it says. */
export const outboxEntrySchema = z.strictObject({
  message_id: z.int(),
  topic: z.string(),
  target: z.string().describe('Whom it goes to'),
  state: z.enum(['waiting', 'under_way', 'failed']),
  attempts: z.int().describe('Deliveries that failed'),
  last_error: z.string().nullable().describe('A word'),
  created_at: z.iso.datetime(),
  due_at: z.iso.datetime().nullable().describe('When it is tried next; null: it was given up'),
  failed_at: z.iso.datetime().nullable(),
});

export type OutboxDocument = z.infer<typeof outboxEntrySchema>;

export function toOutboxDocument(entry: OutboxEntry): OutboxDocument {
  return {
    message_id: entry.id,
    topic: entry.topic,
    target: entry.target,
    state: entry.failedAt !== null ? 'failed' : entry.isUnderWay ? 'under_way' : 'waiting',
    attempts: entry.attempts,
    last_error: entry.lastError,
    created_at: new Date(entry.createdAt).toISOString(),
    due_at: entry.dueAt === null ? null : new Date(entry.dueAt).toISOString(),
    failed_at: entry.failedAt === null ? null : new Date(entry.failedAt).toISOString(),
  };
}
