import type { AuditAct } from '../../src/audit/audit-acts.js';
import type { AuditEntry } from '../../src/audit/audit-entry.js';
import { AuditLog } from '../../src/audit/audit-log.js';
import type { TestApp } from './test-app.js';

const MOST = 10_000;

/** What the server has entered so far under one of these acts, oldest first. */
export async function auditEntries(server: TestApp, ...acts: AuditAct[]): Promise<AuditEntry[]> {
  const entries = await server.app.get(AuditLog, { strict: false }).read({ limit: MOST });
  return entries.filter(({ act }) => acts.includes(act));
}
