import { z } from 'zod';
import type { ShownAdministration } from '../endings/administration.js';
import type { ChatClient } from './chat-client.js';

/** A chat client as the admin API and the command line show it. Its secret is in neither. */
export const chatClientDocumentSchema = z.strictObject({
  chat_client_id: z.int(),
  name: z.string(),
  application_id: z.int().nullable().describe('null: it may ask about the users of every application'),
  administration: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('How its live connections are ended, secrets as fingerprints; null: they are not'),
  created_at: z.iso.datetime(),
  last_used_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});

export type ChatClientDocument = z.infer<typeof chatClientDocumentSchema>;

export function toChatClientDocument(
  client: ChatClient,
  administration: ShownAdministration | null,
): ChatClientDocument {
  return {
    chat_client_id: client.id,
    name: client.name,
    application_id: client.applicationId,
    administration,
    created_at: new Date(client.createdAt).toISOString(),
    last_used_at: toText(client.lastUsedAt),
    revoked_at: toText(client.revokedAt),
  };
}

function toText(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}
