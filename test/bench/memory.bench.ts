import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, BenchContext } from './support/bench.js';
import { createSqlite } from './support/bench-database.js';
import { configInForce, createApplication } from './support/installation.js';
import { rawRequest, runLoad } from './support/load.js';
import { ServerProcess } from './support/server-process.js';
import { storeSessions } from './support/stored-sessions.js';

const SMALL_SESSIONS = 100;
const CACHED_SESSIONS = 100_000;
const WARM_UP_SESSIONS = 100;
const WARM_UP_REQUESTS = 30_000;
const CONNECTIONS = 32;

const SETTLED_SECONDS = 10;
const SETTLED_SHARE = 0.005;
const SETTLE_LIMIT_SECONDS = 60;

const IDLE_GOAL = { below: 180 };
const SESSION_GOAL = { below: 600 };
const MEGABYTE = 1e6;

interface Heap {
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly residentBytes: number;
}

export const memory: Bench = {
  name: 'memory',
  asks: 'what an idle server takes, and what each session in memory adds',
  goals: ['idle: below 180 MB resident (1 MB = 1 000 000 bytes)', 'each cached session: below 600 bytes'],
  run: runMemory,
};

async function runMemory({ progress, resources }: BenchContext) {
  progress.plan(6);
  progress.step('an idle server');
  const small = createSqlite(resources);
  await storeSessions(small, (await createApplication(small, resources)).id, SMALL_SESSIONS);
  const idleServer = await ServerProcess.start(small, resources);
  const atReady = idleServer.residentBytes();
  progress.step('waiting until its memory stands still');
  const idle = await settledBytes(idleServer);
  await idleServer.stop();

  progress.step(`storing ${CACHED_SESSIONS} sessions`);
  const large = createSqlite(resources);
  const { sessions } = await configInForce(large, resources);
  const tokens = await storeSessions(large, (await createApplication(large, resources)).id, CACHED_SESSIONS);
  const requests = tokens.map((token) => rawRequest('GET', '/v1/session', `Bearer ${token}`));
  const probe = new URL('./support/heap-probe.mjs', import.meta.url).href;
  const probed = { nodeArguments: ['--expose-gc', '--import', probe], withChannel: true };

  progress.step('a server without places in its cache');
  const without = await ServerProcess.start(large, resources, {
    ...probed,
    env: { OSTIARY_SESSIONS__CACHE_ENTRIES: '1' },
  });
  const emptyWithout = await without.ask<Heap>('heap');
  await without.stop();

  progress.step('the same server as it ships');
  const server = await ServerProcess.start(large, resources, probed);
  const empty = await server.ask<Heap>('heap');
  const load = async (list: readonly string[], total: number) => {
    const order = { host: '127.0.0.1', port: server.port, connections: CONNECTIONS, requests: list, total };
    await runLoad(order, 200);
    await server.touchesWritten();
  };
  // What the first requests compile and allocate is not the sessions'.
  await load(requests.slice(0, WARM_UP_SESSIONS), WARM_UP_REQUESTS);
  const before = await server.ask<Heap>('heap');
  progress.step(`asking for ${CACHED_SESSIONS} sessions`);
  await load(requests, requests.length);
  const cached = await cacheEntries(server);
  const after = await server.ask<Heap>('heap');
  await server.stop();

  const reserved = (used(empty) - used(emptyWithout)) / sessions.cacheEntries;
  const grown = (used(after) - used(before)) / (cached - WARM_UP_SESSIONS);
  return {
    conditions: {
      database: 'SQLite',
      'idle server': `${SMALL_SESSIONS} sessions stored, nothing asked but readiness; settled: within ${SETTLED_SHARE * 100} % for ${SETTLED_SECONDS} s`,
      'session cache': `${sessions.cacheEntries} entries; ${cached} user sessions in it at the end`,
      'in use': 'heap and external memory after garbage collection, all pending uses written',
    },
    figures: [
      { name: 'resident when ready', unit: 'MB', value: atReady / MEGABYTE },
      { name: 'resident when idle', unit: 'MB', value: idle / MEGABYTE, goal: IDLE_GOAL },
      { name: 'in use when idle', unit: 'MB', value: used(empty) / MEGABYTE },
      { name: 'in use before the sessions were asked for', unit: 'MB', value: used(before) / MEGABYTE },
      { name: 'in use with all sessions cached', unit: 'MB', value: used(after) / MEGABYTE },
      { name: 'resident with all sessions cached', unit: 'MB', value: after.residentBytes / MEGABYTE },
      { name: 'each place in the cache, used or not', unit: 'bytes', value: reserved },
      { name: 'each session, in use more', unit: 'bytes', value: grown },
      { name: 'each cached session', unit: 'bytes', value: grown + reserved, goal: SESSION_GOAL },
    ],
  };
}

function used({ heapBytes, externalBytes }: Heap): number {
  return heapBytes + externalBytes;
}

async function settledBytes(server: ServerProcess): Promise<number> {
  const seen: number[] = [];
  for (let second = 0; second < SETTLE_LIMIT_SECONDS; second += 1) {
    seen.push(server.residentBytes());
    const latest = seen.slice(-SETTLED_SECONDS);
    const range = Math.max(...latest) - Math.min(...latest);
    if (latest.length === SETTLED_SECONDS && range <= SETTLED_SHARE * latest.at(-1)!) break;
    await delay(1000);
  }
  return seen.at(-1)!;
}

async function cacheEntries(server: ServerProcess): Promise<number> {
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^ostiary_session_cache_entries (\d+)$/m.exec(metrics)![1]);
}
