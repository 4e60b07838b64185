import { Injectable } from '@nestjs/common';
import { currentActor, currentRequest } from '../observability/request-context.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import { auditDetails, type AuditDetails } from './audit-acts.js';
import type { AuditEntry, AuditEvent, AuditQuery } from './audit-entry.js';
import { AuditEntryRepository } from './audit-entry.repository.js';

/** Who did what, when, from where. Entries are added and, when they are old, removed; never changed. */
@Injectable()
export class AuditLog {
  constructor(
    private readonly entries: AuditEntryRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /**
   * Writes an entry in the caller's transaction, so that the act and its entry are there together or not at all; in
   * one of its own where none is open.
   *
   * @throws what the database throws; inside a transaction, let it undo the act.
   */
  record(event: AuditEvent): Promise<void> {
    const request = currentRequest();
    const entry = {
      at: this.clock.now(),
      actor: event.actor ?? currentActor(),
      act: event.act,
      applicationId: event.applicationId ?? null,
      userId: event.userId ?? null,
      sessionId: event.sessionId ?? null,
      address: request?.address ?? null,
      requestId: request?.id ?? null,
      outcome: event.outcome ?? 'done',
      reason: event.reason ?? null,
      details: knownDetails(event.details ?? {}),
    };
    return this.transactions.run(() => this.entries.insert(entry));
  }

  /** Up to `limit` entries that fit, in the order of their time. */
  read(query: AuditQuery): Promise<AuditEntry[]> {
    return this.entries.page(query);
  }

  /**
   * Removes up to `limit` entries from before an instant, the oldest first, and writes an entry of its own that says
   * how many.
   *
   * @returns how many; fewer than `limit` when no more are that old.
   */
  purge(before: number, limit: number): Promise<number> {
    return this.transactions.run(async () => {
      const count = await this.entries.removeBefore(before, limit);
      const details = { count, before: new Date(before).toISOString() };
      if (count > 0) await this.record({ act: 'audit.purged', details });
      return count;
    });
  }
}

function knownDetails(details: AuditDetails): AuditDetails {
  const known = auditDetails.filter((name) => details[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, details[name]]));
}
