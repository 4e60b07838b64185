import { Socket } from 'node:net';
import pg from 'pg';
import type { DatabaseConfig } from '../config/config.js';

/** OID of PostgreSQL's `bigint`, which `pg` would hand over as text in raw queries. */
const INT8 = 20;

/** All of our numbers stay below 2^53. */
export function getTypeParser(oid: number): (value: string) => unknown {
  if (oid === INT8) return Number;
  return pg.types.getTypeParser(oid) as (value: string) => unknown;
}

/** What `pg` says, without a code, when the server did not answer within `query_timeout`. */
const SILENT = 'Query read timeout';

/**
 * A connection that ends itself when the server falls silent on it. `pg` alone gives up the one query and keeps the
 * connection, on which the next one then waits in vain as well: a firewall that has forgotten a connection would take
 * it out of service for as long as the process lives.
 */
export class PostgresClient extends pg.Client {
  private readonly socket: Socket;

  constructor(options: pg.ClientConfig) {
    const socket = new Socket();
    super({ ...options, stream: () => socket });
    this.socket = socket;
    const query = this.query.bind(this) as (...given: unknown[]) => unknown;
    // Its dozen signatures all come to this.
    this.query = ((...given: unknown[]) => this.cutWhenSilent(query(...given))) as pg.Client['query'];
  }

  /** Ends it at once; ending politely waits for an answer that may never come. */
  cut(): void {
    this.socket.destroy();
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
