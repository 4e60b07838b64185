import type { DatabaseConfig } from '../config/config.js';
import { newPostgresClient, type PostgresClient } from './postgres-client.js';
import { toStatement } from './statement.js';
import type { Stores } from './stores.js';

/** Past this, a server that says nothing is taken for gone: what is read here is worthless when it is late. */
const ANSWER_MILLISECONDS = 1000;

/**
 * A connection for short reads that must not wait for a place in the pool, however busy that is. Opened when first
 * asked, and anew after any failure.
 */
export abstract class OwnConnection {
  /**
   * Grows with each connection that is opened. Another one may lead to another server, after a fail-over, that has
   * never seen what the former had.
   */
  abstract readonly generation: number;

  /** As `Transactions.query`, outside of any transaction. @throws the driver's error, within about a second. */
  abstract query<Row>(sql: string, parameters?: Readonly<Record<string, unknown>>): Promise<Row[]>;

  abstract close(): Promise<void>;
}

/** SQLite has no pool to wait for: the reading side serves. */
export class SqliteOwnConnection extends OwnConnection {
  readonly generation = 1;

  constructor(private readonly stores: Stores) {
    super();
  }

  override query<Row>(sql: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<Row[]> {
    const { text, names } = toStatement(sql, 'sqlite');
    return this.stores.reader.query<Row[]>(
      text,
      names.map((name) => parameters[name]),
    );
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}

export class PostgresOwnConnection extends OwnConnection {
  generation = 0;
  private open: PostgresClient | undefined;
  private opening: Promise<PostgresClient> | undefined;

  constructor(private readonly config: DatabaseConfig) {
    super();
  }

  override async query<Row>(sql: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<Row[]> {
    const client = this.open ?? (await (this.opening ??= this.connect()));
    const { text, names } = toStatement(sql, 'postgres');
    try {
      const values = names.map((name) => parameters[name]);
      const { rows } = await client.query(text, values);
      return rows as Row[];
    } catch (error) {
      this.discard(client);
      throw error;
    }
  }

  override close(): Promise<void> {
    if (this.open) this.discard(this.open);
    return Promise.resolve();
  }

  private async connect(): Promise<PostgresClient> {
    const client = newPostgresClient(this.config, {
      connectionTimeoutMillis: ANSWER_MILLISECONDS,
      query_timeout: ANSWER_MILLISECONDS,
      statement_timeout: ANSWER_MILLISECONDS,
    });
    // One that breaks while nobody asks: the next one who does opens another.
    client.on('error', () => this.discard(client));
    try {
      await client.connect();
      this.generation += 1;
      return (this.open = client);
    } catch (error) {
      this.discard(client);
      throw error;
    } finally {
      this.opening = undefined;
    }
  }

  private discard(client: PostgresClient): void {
    if (this.open === client) this.open = undefined;
    client.cut();
  }
}
