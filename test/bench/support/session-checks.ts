import type { BenchContext, Figure } from './bench.js';
import type { BenchDatabase } from './bench-database.js';
import { createApplication } from './installation.js';
import { rawRequest, runLoad } from './load.js';
import { ServerProcess } from './server-process.js';
import { spread, type Spread } from './statistics.js';
import { storeSessions } from './stored-sessions.js';

/*
 * Session checks as load, and what is told of them.
 */

export const CONNECTIONS = 32;
export const CONNECTIONS_IN_WORDS = `${CONNECTIONS}, kept alive, one request at a time on each; the generator spins`;

/** A server under load, bare or not. */
export interface Target {
  readonly port: number;
  cpuMicroseconds(): number;
}

export interface Sample {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMicroseconds: number;
}

export interface Stored {
  readonly database: BenchDatabase;
  readonly requests: readonly string[];
}

/** An application with so many user sessions, and a request for each. */
export async function store(
  database: BenchDatabase,
  sessions: number,
  { resources }: BenchContext,
): Promise<Stored> {
  const { id } = await createApplication(database, resources);
  const tokens = await storeSessions(database, id, sessions);
  return { database, requests: tokens.map((token) => rawRequest('GET', '/v1/session', `Bearer ${token}`)) };
}

/** Processor time includes the writing of all uses that the requests left behind. */
export async function measure(
  target: Target,
  requests: readonly string[],
  until: { readonly seconds: number } | { readonly total: number },
  prepare?: (generatorPid: number) => void,
): Promise<Sample> {
  const cpuBefore = target.cpuMicroseconds();
  const order = { host: '127.0.0.1', port: target.port, connections: CONNECTIONS, requests, ...until };
  const report = await runLoad(order, 200, prepare);
  if (target instanceof ServerProcess) await target.touchesWritten();
  return {
    requestsPerSecond: report.requests / report.seconds,
    p50: report.latency.p50,
    p99: report.latency.p99,
    cpuMicroseconds: (target.cpuMicroseconds() - cpuBefore) / report.requests,
  };
}

export function figuresOf(name: string, samples: readonly Sample[]): Figure[] {
  const over = (key: keyof Sample): Spread => spread(samples.map((sample) => sample[key]));
  return [
    { name: `${name}: requests per second`, unit: '', ...over('requestsPerSecond') },
    { name: `${name}: latency p50`, unit: 'ms', ...over('p50') },
    { name: `${name}: latency p99`, unit: 'ms', ...over('p99') },
    { name: `${name}: processor time per request`, unit: 'µs', ...over('cpuMicroseconds') },
    { name: `${name}: answers other than 200`, unit: '', value: 0 },
  ];
}
