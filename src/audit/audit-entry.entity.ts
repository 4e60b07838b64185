import { EntitySchema } from 'typeorm';
import type { ActorKind } from '../observability/request-context.js';
import type { Columns } from '../persistence/columns.js';
import type { AuditAct } from './audit-acts.js';
import type { AuditOutcome } from './audit-entry.js';

/** One act. Nothing here refers to another table by key: an entry outlives what it is about. */
export interface AuditEntryRow {
  id: number;
  at: number;
  actor_kind: ActorKind;
  actor_id: string | null;
  act: AuditAct;
  application_id: number | null;
  user_id: number | null;
  session_id: number | null;
  address: string | null;
  request_id: string | null;
  outcome: AuditOutcome;
  reason: string | null;
  /** JSON of `AuditDetails`. */
  details: string;
}

export const auditEntryRow = (c: Columns) =>
  new EntitySchema<AuditEntryRow>({
    name: 'audit_entries',
    tableName: 'audit_entries',
    columns: {
      id: c.bigId(),
      at: c.instant(),
      actor_kind: c.varchar(16),
      actor_id: c.varchar(255, { nullable: true }),
      act: c.varchar(64),
      application_id: c.integer({ nullable: true }),
      user_id: c.integer({ nullable: true }),
      session_id: c.bigInteger({ nullable: true }),
      address: c.varchar(45, { nullable: true }),
      request_id: c.varchar(64, { nullable: true }),
      outcome: c.varchar(8),
      reason: c.varchar(64, { nullable: true }),
      details: c.text(),
    },
    indices: [
      { name: 'audit_entries_by_application', columns: ['application_id', 'at', 'id'] },
      { name: 'audit_entries_by_time', columns: ['at', 'id'] },
    ],
  });
