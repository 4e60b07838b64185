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

/** A connection beside the pool, to the same database and reading the same values. */
export interface PostgresClient {
  readonly client: pg.Client;
  /** Ends it at once; ending politely waits for an answer that may never come. */
  readonly cut: () => void;
}

export function newPostgresClient(config: DatabaseConfig, options: pg.ClientConfig): PostgresClient {
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: config.location,
    application_name: 'ostiary',
    keepAlive: true,
    types: { getTypeParser } as pg.CustomTypesConfig,
    stream: () => socket,
    ...options,
  });
  return { client, cut: () => socket.destroy() };
}
