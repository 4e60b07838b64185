import { Injectable } from '@nestjs/common';
import { OwnConnection } from '../../persistence/own-connection.js';
import { Transactions } from '../../persistence/transactions.js';

/** How far the log was read. */
export interface LogPosition {
  /** Of the connection that was read over; a position means nothing on another one. */
  readonly generation: number;
  /** SQLite: the last row's id. PostgreSQL: the snapshot that was read, as `pg_current_snapshot()` words it. */
  readonly upTo: string | number;
}

export interface LogPage {
  readonly position: LogPosition;
  /** Hashes of the tokens that stand for something else now, or for nothing. */
  readonly tokenHashes: readonly string[];
  /** There may be more that nobody can tell any more: everything known from before is to be forgotten. */
  readonly startsAnew: boolean;
}

/**
 * Reads the log of revocations, which triggers write in the transaction that revokes. Every row is seen exactly once,
 * in whatever order transactions commit and however long one takes.
 */
@Injectable()
export class RevocationLog {
  constructor(
    private readonly connection: OwnConnection,
    private readonly transactions: Transactions,
  ) {}

  /** What was committed since `position`. @throws the driver's error, soon, when the database does not answer. */
  async readSince(position: LogPosition | null): Promise<LogPage> {
    return this.transactions.dialect === 'postgres' ? this.readPostgres(position) : this.readSqlite(position);
  }

  /** SQLite has one writer at a time, so that ids become visible in their order; AUTOINCREMENT never uses one twice. */
  private async readSqlite(position: LogPosition | null): Promise<LogPage> {
    const { generation } = this.connection;
    if (!position) {
      const [last] = await this.connection.query<{ id: number }>(LAST_ID);
      return { position: { generation, upTo: last?.id ?? 0 }, tokenHashes: [], startsAnew: true };
    }
    const rows = await this.connection.query<{ id: number; token_hash: string }>(READ_SQLITE, {
      after: position.upTo,
    });
    const upTo = rows.at(-1)?.id ?? position.upTo;
    return {
      position: { generation, upTo },
      tokenHashes: rows.map((row) => row.token_hash),
      startsAnew: false,
    };
  }

  /**
   * PostgreSQL numbers rows in one order and shows them in another: a row may turn up behind ones that were read long
   * ago. But a snapshot tells which transactions it saw, so what a former one did not see is what there is to read.
   */
  private async readPostgres(position: LogPosition | null): Promise<LogPage> {
    const since = position?.upTo ?? null;
    const rows = await this.connection.query<{ snapshot: string; token_hash: string | null }>(READ_POSTGRES, {
      since,
      from: since === null ? null : oldestUnfinished(String(since)),
    });
    const snapshot = rows[0]!.snapshot;
    const { generation } = this.connection;
    const startsAnew =
      position === null || position.generation !== generation || isBefore(snapshot, String(position.upTo));
    return {
      position: { generation, upTo: snapshot },
      tokenHashes: rows.flatMap((row) => row.token_hash ?? []),
      startsAnew,
    };
  }
}

const LAST_ID = 'SELECT max(id) AS id FROM revocations';
const READ_SQLITE = 'SELECT id, token_hash FROM revocations WHERE id > :after ORDER BY id';

/** The row with the snapshot comes always, the log's rows beside it where there are any. */
const READ_POSTGRES = `
  SELECT s.snapshot::text AS snapshot, r.token_hash
  FROM (SELECT pg_current_snapshot() AS snapshot) s
  LEFT JOIN revocations r
    ON r.transaction_id >= :from::bigint
   AND NOT pg_visible_in_snapshot((r.transaction_id::text)::xid8, :since::pg_snapshot)`;

/** The `xmin` of `xmin:xmax:…`: no transaction with a lower number was still running. */
function oldestUnfinished(snapshot: string): string {
  return snapshot.split(':')[0]!;
}

/** Transaction numbers only grow, unless the server behind the connection is another one. */
function isBefore(snapshot: string, earlier: string): boolean {
  return BigInt(snapshot.split(':')[1]!) < BigInt(earlier.split(':')[1]!);
}
