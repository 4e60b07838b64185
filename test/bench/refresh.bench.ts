import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadSqliteDriver } from '../../src/persistence/sqlite-driver.js';
import type { Bench, BenchContext, Figure } from './support/bench.js';
import { createPostgres, createSqlite, type BenchDatabase } from './support/bench-database.js';
import { configInForce, createApplication, setSettings } from './support/installation.js';
import { rawRequest, runLoad } from './support/load.js';
import { ServerProcess } from './support/server-process.js';
import { spread } from './support/statistics.js';
import { storeRefreshTokens, storeSessions } from './support/stored-sessions.js';

const CONNECTIONS = 32;
const ROUNDS = 5;
const REFRESHES_EACH = 10_000;
const WARM_UP = 2000;
const CONTROL_SECONDS = 3;
const GOAL = { atLeast: 2000 };

interface Sample {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpuMicroseconds: number;
}

export const refresh: Bench = {
  name: 'refresh',
  asks: 'POST /v1/session/refresh with tokens that nobody has used, beside one bare write transaction after another',
  goals: ['one process on SQLite: at least 2000 refreshes per second'],
  run: runRefresh,
};

async function runRefresh(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(2 * (2 + ROUNDS) + ROUNDS);
  const sqlite = createSqlite(resources);
  const postgres = await createPostgres(resources);
  const figures: Figure[] = [];
  for (const database of [sqlite, postgres]) figures.push(...(await measureOn(database, context)));
  const { database } = await configInForce(sqlite, resources);
  return {
    conditions: {
      connections: `${CONNECTIONS}, kept alive, one request at a time on each; the generator spins`,
      rounds: `${ROUNDS} of ${REFRESHES_EACH} refreshes, each of another session, after ${WARM_UP} to warm up`,
      control: `${CONTROL_SECONDS} s of transactions on the same file, one after the other without a server: the three writes of a refresh each`,
      database: `SQLite synchronous=${database.sqliteSynchronous}; PostgreSQL fsync=on, pool of ${database.poolSize}`,
    },
    figures,
  };
}

async function measureOn(database: BenchDatabase, { progress, resources }: BenchContext): Promise<Figure[]> {
  progress.step(`${database.kind}: storing sessions`);
  const { id } = await createApplication(database, resources);
  await setSettings(database, resources, id, ['refresh_tokens=on']);
  const accessTokens = await storeSessions(database, id, WARM_UP + ROUNDS * REFRESHES_EACH);
  const requests = (await storeRefreshTokens(database, accessTokens)).map((refresh_token) =>
    rawRequest('POST', '/v1/session/refresh', null, { refresh_token }),
  );
  const server = await ServerProcess.start(database, resources);
  progress.step(`${database.kind}: warming up`);
  await load(server, requests.slice(0, WARM_UP));
  const samples: Sample[] = [];
  const control: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    if (database.kind === 'SQLite') {
      progress.step(`control, round ${round + 1}`);
      control.push(await bareTransactions(database));
    }
    progress.step(`${database.kind}, round ${round + 1}`);
    const from = WARM_UP + round * REFRESHES_EACH;
    samples.push(await load(server, requests.slice(from, from + REFRESHES_EACH)));
  }
  await server.stop();
  const name = database.kind;
  const over = (key: keyof Sample) => spread(samples.map((sample) => sample[key]));
  const rate: Figure = { name: `${name}: refreshes per second`, unit: '', ...over('perSecond') };
  return [
    ...(control.length === 0
      ? []
      : [{ name: 'control: bare transactions per second', unit: '', ...spread(control) }]),
    name === 'SQLite' ? { ...rate, goal: GOAL } : rate,
    { name: `${name}: latency p50`, unit: 'ms', ...over('p50') },
    { name: `${name}: latency p99`, unit: 'ms', ...over('p99') },
    { name: `${name}: processor time per refresh`, unit: 'µs', ...over('cpuMicroseconds') },
  ];
}

async function load(server: ServerProcess, requests: readonly string[]): Promise<Sample> {
  const before = server.cpuMicroseconds();
  const order = { host: '127.0.0.1', port: server.port, connections: CONNECTIONS, requests };
  const report = await runLoad({ ...order, total: requests.length }, 200);
  return {
    perSecond: report.requests / report.seconds,
    p50: report.latency.p50,
    p99: report.latency.p99,
    cpuMicroseconds: (server.cpuMicroseconds() - before) / report.requests,
  };
}

/** What the disk and the driver allow when each refresh is a transaction of its own and nothing else is done. */
function bareTransactions(database: BenchDatabase): Promise<number> {
  const file = new (loadSqliteDriver())(join(database.env['DATA_DIR']!, 'ostiary.db'));
  try {
    file.pragma('synchronous = full');
    const insert = file.prepare(
      'INSERT INTO throttle_counters (key, count, window_ends_at, paused_until) VALUES (?, 0, 0, 0)',
    );
    const write = file.transaction(() => {
      for (let i = 0; i < 3; i += 1) insert.run(randomBytes(32).toString('base64url'));
    });
    const endsAt = performance.now() + CONTROL_SECONDS * 1000;
    let count = 0;
    for (; performance.now() < endsAt; count += 1) write.immediate();
    file.exec('DELETE FROM throttle_counters');
    return Promise.resolve(count / CONTROL_SECONDS);
  } finally {
    file.close();
  }
}
