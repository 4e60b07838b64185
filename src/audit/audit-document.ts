import { z } from 'zod';
import { auditActs } from './audit-acts.js';
import type { AuditEntry } from './audit-entry.js';

/** An entry as it is handed out, by the command line and over HTTP alike. */
export const auditEntrySchema = z.strictObject({
  id: z.int(),
  at: z.iso.datetime(),
  actor_kind: z.enum(['admin_key', 'chat_client', 'command_line', 'user', 'application', 'client', 'system']),
  actor_id: z.string().nullable(),
  act: z.enum(auditActs),
  application_id: z.int().nullable(),
  user_id: z.int().nullable(),
  session_id: z.int().nullable(),
  address: z.string().nullable(),
  request_id: z.string().nullable(),
  outcome: z.enum(['done', 'refused']),
  reason: z.string().nullable(),
  details: z.record(
    z.string(),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()]),
  ),
});

export function toAuditDocument(entry: AuditEntry): z.infer<typeof auditEntrySchema> {
  return {
    id: entry.id,
    at: new Date(entry.at).toISOString(),
    actor_kind: entry.actor.kind,
    actor_id: entry.actor.id,
    act: entry.act,
    application_id: entry.applicationId,
    user_id: entry.userId,
    session_id: entry.sessionId,
    address: entry.address,
    request_id: entry.requestId,
    outcome: entry.outcome,
    reason: entry.reason,
    details: entry.details,
  };
}
