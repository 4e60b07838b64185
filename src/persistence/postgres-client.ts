import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { DatabaseConfig } from '../config/config.js';

/** OID of PostgreSQL's `bigint`, which `pg` would hand over as text in raw queries. */
const INT8 = 20;

/** All of our numbers stay below 2^53. */
export function getTypeParser(oid: number): (value: string) => unknown {
  if (oid === INT8) return Number;
  return pg.types.getTypeParser(oid) as (value: string) => unknown;
}

/** As TypeORM words them. */
const BEGIN = 'START TRANSACTION';
const COMMIT = 'COMMIT';
const ROLLBACK = 'ROLLBACK';

const NOTHING_DONE = Promise.resolve({ rows: [], rowCount: null, command: '', fields: [], oid: 0 });

/** What `pg` says, without a code, when the server did not answer within `query_timeout`. */
const SILENT = 'Query read timeout';

/**
 * A connection that ends itself when the server falls silent on it. `pg` alone gives up the one query and keeps the
 * connection, on which the next one then waits in vain as well: a firewall that has forgotten a connection would take
 * it out of service for as long as the process lives.
 */
export class PostgresClient extends pg.Client {
  private readonly socket: Socket;
  private readonly send: (...given: unknown[]) => unknown;
  private owesBegin = false;
  private isCorked = false;

  constructor(options: pg.ClientConfig) {
    const socket = new Socket();
    super({ ...options, pipeline: true, stream: () => socket });
    this.socket = socket;
    this.send = this.query.bind(this);
    // Its dozen signatures all come to this.
    this.query = ((...given: unknown[]) => this.sendSoon(given)) as pg.Client['query'];
  }

  /** Ends it at once; ending politely waits for an answer that may never come. */
  cut(): void {
    this.socket.destroy();
  }

  /**
   * Statements of one turn go out with one write: waking the server's process for each would cost more than most of
   * them do. A transaction begins with its first statement, and one without any does not begin.
   */
  private sendSoon(given: readonly unknown[]): unknown {
    const [text] = given;
    if (text === BEGIN) {
      this.owesBegin = true;
      return NOTHING_DONE;
    }
    if (this.owesBegin) {
      this.owesBegin = false;
      if (text === COMMIT || text === ROLLBACK) return NOTHING_DONE;
      this.cork();
      // Without a transaction, what follows would be done for good, each statement by itself.
      (this.send(BEGIN) as Promise<unknown>).catch(() => this.cut());
    }
    this.cork();
    return this.cutWhenSilent(this.send(...given));
  }

  private cork(): void {
    if (this.isCorked) return;
    this.isCorked = true;
    // Behind TLS, the stream that is written to is another one than the socket.
    const { stream } = (this as unknown as { connection: { stream: Duplex } }).connection;
    stream.cork();
    process.nextTick(() => {
      this.isCorked = false;
      stream.uncork();
    });
  }

  private cutWhenSilent(result: unknown): unknown {
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === SILENT) this.cut();
      });
    }
    return result;
  }
}

/** A connection beside the pool, to the same database and reading the same values. */
export function newPostgresClient(config: DatabaseConfig, options: pg.ClientConfig): PostgresClient {
  return new PostgresClient({
    connectionString: config.location,
    application_name: 'ostiary',
    keepAlive: true,
    types: { getTypeParser },
    ...options,
  });
}
