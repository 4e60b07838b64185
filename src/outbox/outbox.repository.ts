import { Injectable } from '@nestjs/common';
import { isAmongTexts, toList } from '../persistence/pairs.js';
import { Transactions } from '../persistence/transactions.js';
import type { OutboxMessageRow } from './outbox-message.entity.js';
import type { NewMessage, OutboxEntry, OutboxMessage } from './outbox-message.js';

/** What waits, what was given up, and since when the oldest of them is there. */
export interface TopicCount {
  readonly topic: string;
  readonly pending: number;
  readonly failed: number;
  readonly oldestPendingAt: number | null;
}

/** Keeps messages until they are delivered. A claim is no lock: it lapses, and whoever held it is not asked. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly transactions: Transactions) {}

  async insert(messages: readonly NewMessage[], now: number, giveUpAt: number): Promise<void> {
    const rows = messages.map((message) => [
      message.topic,
      message.target,
      message.deduplicationKey ?? null,
      JSON.stringify(message.payload),
      message.dueAt ?? now,
    ]);
    await this.transactions.query(
      this.transactions.dialect === 'postgres' ? INSERT_POSTGRES : INSERT_SQLITE,
      {
        rows: JSON.stringify(rows),
        now,
        giveUpAt,
      },
    );
  }

  /** Those for whom something of these topics is due. Steps from target to target in the index, however much waits. */
  async dueTargets(topics: readonly string[], now: number): Promise<string[]> {
    const rows = await this.transactions.query<{ target: string }>(
      `WITH RECURSIVE targets (target) AS (
         SELECT min(target) FROM outbox_messages
         UNION ALL
         SELECT (SELECT min(target) FROM outbox_messages m WHERE m.target > targets.target) FROM targets
         WHERE targets.target IS NOT NULL)
       SELECT target FROM targets WHERE target IS NOT NULL AND EXISTS (
         SELECT 1 FROM outbox_messages m WHERE m.target = targets.target AND m.due_at <= :now AND ${this.amongTopics})`,
      { texts: toList(topics), now },
    );
    return rows.map(({ target }) => target);
  }

  /** Takes up to `limit` of what is due for a target, oldest first. Two that claim at once get different messages. */
  async claim(
    target: string,
    topics: readonly string[],
    limit: number,
    claim: { readonly holder: string; readonly now: number; readonly until: number },
  ): Promise<OutboxMessage[]> {
    const lock = this.transactions.dialect === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : '';
    const rows = await this.transactions.runUnsynced(() =>
      this.transactions.query<OutboxMessageRow>(
        `UPDATE outbox_messages SET claimed_by = :holder, due_at = :until WHERE ${this.idAmong(
          `SELECT id FROM outbox_messages WHERE target = :target AND due_at <= :now AND ${this.amongTopics}
           ORDER BY due_at, id LIMIT :limit ${lock}`,
        )} RETURNING *`,
        { texts: toList(topics), target, limit, ...claim },
      ),
    );
    return rows.map(toMessage).sort((a, b) => a.id - b.id);
  }

  /** It is delivered. Without effect where somebody else has taken it over. */
  async remove(id: number, holder: string): Promise<void> {
    await this.change('DELETE FROM outbox_messages WHERE id = :id AND claimed_by = :holder', { id, holder });
  }

  /** It goes on where it was. */
  async putBack(id: number, holder: string, now: number): Promise<void> {
    await this.change(
      'UPDATE outbox_messages SET claimed_by = NULL, due_at = :now WHERE id = :id AND claimed_by = :holder',
      { id, holder, now },
    );
  }

  async retryAt(id: number, holder: string, dueAt: number, error: string): Promise<void> {
    await this.change(
      `UPDATE outbox_messages SET claimed_by = NULL, attempts = attempts + 1, due_at = :dueAt, last_error = :error
       WHERE id = :id AND claimed_by = :holder`,
      { id, holder, dueAt, error },
    );
  }

  async giveUp(id: number, holder: string, now: number, error: string): Promise<void> {
    await this.change(
      `UPDATE outbox_messages SET claimed_by = NULL, attempts = attempts + 1, due_at = NULL, last_error = :error,
         failed_at = :now
       WHERE id = :id AND claimed_by = :holder`,
      { id, holder, now, error },
    );
  }

  /** Lets others have at once what this process has claimed and not delivered. */
  async release(holder: string, now: number): Promise<void> {
    await this.change(
      'UPDATE outbox_messages SET claimed_by = NULL, due_at = :now WHERE claimed_by = :holder AND due_at IS NOT NULL',
      { holder, now },
    );
  }

  /** Makes due what failed for a target and waits for its next try. @returns how many, `limit` at most. */
  async hasten(target: string, now: number, limit: number): Promise<number> {
    const rows = await this.change(
      `UPDATE outbox_messages SET due_at = :now WHERE ${this.idAmong(
        `SELECT id FROM outbox_messages
         WHERE target = :target AND due_at > :now AND attempts > 0 AND claimed_by IS NULL ORDER BY due_at, id LIMIT :limit`,
      )} AND claimed_by IS NULL RETURNING id`,
      { target, now, limit },
    );
    return rows.length;
  }

  /** Messages with ids above `afterId`, in the order of their ids. */
  async page(filter: { readonly isFailed: boolean; readonly afterId: number; readonly limit: number }) {
    const { isFailed, afterId, limit } = filter;
    const rows = await this.transactions.query<OutboxMessageRow>(
      `SELECT * FROM outbox_messages WHERE id > :afterId ${isFailed ? 'AND failed_at IS NOT NULL' : ''}
       ORDER BY id LIMIT :limit`,
      { afterId, limit },
    );
    return rows.map(toEntry);
  }

  async find(id: number): Promise<OutboxEntry | null> {
    const rows = await this.transactions.query<OutboxMessageRow>(
      'SELECT * FROM outbox_messages WHERE id = :id',
      { id },
    );
    return rows[0] ? toEntry(rows[0]) : null;
  }

  /** Begins anew with a message that nobody delivers at the moment. @returns whether there is one. */
  async retry(id: number, now: number, giveUpAt: number): Promise<boolean> {
    const rows = await this.transactions.query(
      `UPDATE outbox_messages SET failed_at = NULL, attempts = 0, due_at = :now, give_up_at = :giveUpAt
       WHERE id = :id AND claimed_by IS NULL RETURNING id`,
      { id, now, giveUpAt },
    );
    return rows.length === 1;
  }

  /** Begins anew with some of those that were given up. @returns how many. */
  async retryFailed(now: number, giveUpAt: number, limit: number): Promise<number> {
    const rows = await this.transactions.query(
      `UPDATE outbox_messages SET failed_at = NULL, attempts = 0, due_at = :now, give_up_at = :giveUpAt
       WHERE ${this.idAmong('SELECT id FROM outbox_messages WHERE failed_at IS NOT NULL ORDER BY id LIMIT :limit')}
       RETURNING id`,
      { now, giveUpAt, limit },
    );
    return rows.length;
  }

  async counts(): Promise<TopicCount[]> {
    const rows = await this.transactions.query<{
      topic: string;
      pending: number;
      failed: number;
      oldest: number | null;
    }>(
      `SELECT topic, count(due_at) AS pending, count(failed_at) AS failed,
         min(CASE WHEN failed_at IS NULL THEN created_at END) AS oldest
       FROM outbox_messages GROUP BY topic`,
    );
    return rows.map(({ topic, pending, failed, oldest }) => ({
      topic,
      pending: Number(pending),
      failed: Number(failed),
      oldestPendingAt: oldest === null ? null : Number(oldest),
    }));
  }

  /** PostgreSQL may carry out a subquery more than once, each time with other rows, unless it has to make a list of it. */
  private idAmong(select: string): string {
    return this.transactions.dialect === 'postgres' ? `id = ANY (ARRAY(${select}))` : `id IN (${select})`;
  }

  private get amongTopics(): string {
    return isAmongTexts(this.transactions.dialect, 'topic');
  }

  /** What a power cut undoes here is done once more, and that is what everybody who is told has to bear anyway. */
  private change(sql: string, parameters: Readonly<Record<string, unknown>>): Promise<unknown[]> {
    return this.transactions.runUnsynced(() => this.transactions.query(sql, parameters));
  }
}

const INSERT_POSTGRES = `
  INSERT INTO outbox_messages (topic, target, deduplication_key, payload, due_at, attempts, created_at, give_up_at)
  SELECT value->>0, value->>1, value->>2, value->>3, (value->>4)::bigint, 0, :now::bigint, :giveUpAt::bigint
  FROM jsonb_array_elements(:rows::jsonb)
  ON CONFLICT (deduplication_key) DO NOTHING`;

// "WHERE true", as SQLite would take ON for a part of the FROM.
const INSERT_SQLITE = `
  INSERT INTO outbox_messages (topic, target, deduplication_key, payload, due_at, attempts, created_at, give_up_at)
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4, 0, :now, :giveUpAt FROM json_each(:rows) WHERE true
  ON CONFLICT (deduplication_key) DO NOTHING`;

function toMessage(row: OutboxMessageRow): OutboxMessage {
  return {
    id: row.id,
    topic: row.topic,
    target: row.target,
    payload: JSON.parse(row.payload) as unknown,
    attempts: row.attempts,
    createdAt: row.created_at,
    giveUpAt: row.give_up_at,
  };
}

function toEntry(row: OutboxMessageRow): OutboxEntry {
  return {
    id: row.id,
    topic: row.topic,
    target: row.target,
    attempts: row.attempts,
    lastError: row.last_error,
    createdAt: row.created_at,
    dueAt: row.due_at,
    isUnderWay: row.claimed_by !== null,
    failedAt: row.failed_at,
  };
}
