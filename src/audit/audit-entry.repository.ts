import { Injectable } from '@nestjs/common';
import { Transactions } from '../persistence/transactions.js';
import type { AuditDetails } from './audit-acts.js';
import type { AuditEntry, AuditQuery } from './audit-entry.js';
import type { AuditEntryRow } from './audit-entry.entity.js';

/** Keeps entries. There is no way to change one; the database refuses it too. */
@Injectable()
export class AuditEntryRepository {
  constructor(private readonly transactions: Transactions) {}

  async insert(entry: Omit<AuditEntry, 'id'>): Promise<void> {
    const { actor, ...facts } = entry;
    const values = { ...facts, actorKind: actor.kind, actorId: actor.id };
    await this.transactions.queryAtCommit(INSERT, { ...values, details: JSON.stringify(entry.details) });
  }

  /** In the order of their time, and of their ids where that is the same. */
  async page({ afterId = 0, limit, applicationId, since, until }: AuditQuery): Promise<AuditEntry[]> {
    const conditions = [
      AFTER,
      ...(applicationId === undefined ? [] : ['application_id = :applicationId']),
      ...(since === undefined ? [] : ['at >= :since']),
      ...(until === undefined ? [] : ['at < :until']),
    ];
    const rows = await this.transactions.query<AuditEntryRow>(
      `SELECT * FROM audit_entries WHERE ${conditions.join(' AND ')} ORDER BY at, id LIMIT :limit`,
      { afterId, limit, applicationId, since, until },
    );
    return rows.map(toEntry);
  }

  /** Deletes entries from before an instant, the oldest first. @returns how many. */
  async removeBefore(before: number, limit: number): Promise<number> {
    const removed = await this.transactions.query(REMOVE, { before, limit });
    return removed.length;
  }
}

const INSERT = `
  INSERT INTO audit_entries (at, actor_kind, actor_id, act, application_id, user_id, session_id, address, request_id,
    outcome, reason, details)
  VALUES (:at, :actorKind, :actorId, :act, :applicationId, :userId, :sessionId, :address, :requestId, :outcome, :reason,
    :details)`;

/** An entry that is not there any more was purged, and with it all that were older. */
const AFTER = `(at, id) > (COALESCE((SELECT at FROM audit_entries WHERE id = :afterId), -1), :afterId)`;

const REMOVE = `
  DELETE FROM audit_entries WHERE id IN (
    SELECT id FROM audit_entries WHERE at < :before ORDER BY at, id LIMIT :limit)
  RETURNING id`;

function toEntry(row: AuditEntryRow): AuditEntry {
  return {
    id: row.id,
    at: row.at,
    actor: { kind: row.actor_kind, id: row.actor_id },
    act: row.act,
    applicationId: row.application_id,
    userId: row.user_id,
    sessionId: row.session_id,
    address: row.address,
    requestId: row.request_id,
    outcome: row.outcome,
    reason: row.reason,
    details: JSON.parse(row.details) as AuditDetails,
  };
}
