import type { Bench, BenchContext, Figure } from './support/bench.js';
import { startBareServer } from './support/bare.js';
import { createPostgres, createSqlite } from './support/bench-database.js';
import { configInForce } from './support/installation.js';
import { ServerProcess } from './support/server-process.js';
import {
  CONNECTIONS_IN_WORDS,
  figuresOf,
  measure,
  store,
  type Sample,
  type Stored,
  type Target,
} from './support/session-checks.js';
import { spread } from './support/statistics.js';
import { pauseHalf, usedSince } from './support/stored-sessions.js';
import { runSessionCheckWithWorkers } from './session-check-workers.js';

const WARM_ROUNDS = 7;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 3;
const WARM_SESSIONS = 1000;
const COLD_SESSIONS = 100_000;
const COLD_STARTS = 3;

const WARM_GOAL = { atLeast: 0.5 };
const COLD_GOAL = { atLeast: 0.25 };

export const sessionCheck: Bench = {
  name: 'session-check',
  asks: 'GET /v1/session beside a bare node:http server that answers the same bytes',
  goals: [
    'sessions in memory: at least 0.50 of the bare server, on SQLite and on PostgreSQL',
    'each of 100 000 stored sessions asked for once: at least 0.25 of the bare server on SQLite',
    'with --workers N: processor time per request of all processes together below 1.10 of one process',
  ],
  run: runSessionCheck,
  runWithWorkers: runSessionCheckWithWorkers,
};

async function runSessionCheck(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(5 + WARM_ROUNDS * 3 + COLD_STARTS * 2 * 3);
  progress.step('storing sessions in SQLite');
  const sqlite = await store(createSqlite(resources), COLD_SESSIONS, context);
  progress.step('storing sessions in PostgreSQL');
  const postgres = await store(await createPostgres(resources), COLD_SESSIONS, context);
  const answer = await answerOf(sqlite, context);
  const bare = await startBareServer(answer, resources);

  const figures = await warm(context, bare, sqlite, postgres);
  figures.push(...(await cold(context, bare, sqlite)));
  figures.push(...(await cold(context, bare, postgres)));
  const { sessions, database } = await configInForce(sqlite.database, resources);
  return {
    conditions: {
      connections: CONNECTIONS_IN_WORDS,
      answer: `${answer.body.length} bytes of ${answer.contentType}`,
      warm: `${WARM_ROUNDS} rounds of ${ROUND_SECONDS} s each, bare and Ostiary in turn, ${WARM_SESSIONS} sessions`,
      cold: `${COLD_STARTS} fresh starts for each database, ${COLD_SESSIONS} sessions each asked for once, a bare round of ${ROUND_SECONDS} s before and after`,
      'cold: sessions': 'half in use now, half last used ten minutes ago, whose use has to be recorded',
      'session cache': `${sessions.cacheEntries} entries`,
      'touch flush': `${sessions.touchFlushMilliseconds} ms`,
      database: `SQLite synchronous=${database.sqliteSynchronous}; PostgreSQL fsync=on, pool of ${database.poolSize}`,
    },
    figures,
  };
}

/** What Ostiary answers, for the bare server to repeat. */
async function answerOf({ database, requests }: Stored, { resources }: BenchContext) {
  const server = await ServerProcess.start(database, resources);
  const authorization = /Authorization: (.+)\r\n/.exec(requests[0]!)![1]!;
  const response = await fetch(`${server.url}/v1/session`, { headers: { authorization } });
  const body = await response.text();
  await server.stop();
  if (response.status !== 200) throw new Error(`GET /v1/session answered ${response.status}: ${body}`);
  return { contentType: response.headers.get('content-type')!, body };
}

async function warm({ progress, resources }: BenchContext, bare: Target, sqlite: Stored, postgres: Stored) {
  const targets: readonly (readonly [string, Target, readonly string[]])[] = [
    ['bare', bare, sqlite.requests],
    ['SQLite', await ServerProcess.start(sqlite.database, resources), sqlite.requests],
    ['PostgreSQL', await ServerProcess.start(postgres.database, resources), postgres.requests],
  ];
  const samples = new Map<string, Sample[]>(targets.map(([name]) => [name, []]));
  for (const [name, target, requests] of targets) {
    progress.step(`warming up: ${name}`);
    await measure(target, requests.slice(0, WARM_SESSIONS), { seconds: WARM_UP_SECONDS });
  }
  for (let round = 1; round <= WARM_ROUNDS; round += 1) {
    for (const [name, target, requests] of targets) {
      progress.step(`warm, round ${round}: ${name}`);
      const sample = await measure(target, requests.slice(0, WARM_SESSIONS), { seconds: ROUND_SECONDS });
      samples.get(name)!.push(sample);
    }
  }
  for (const [, target] of targets) if (target instanceof ServerProcess) await target.stop();
  const ofBare = samples.get('bare')!;
  return [
    ...figuresOf('bare', ofBare),
    ...['SQLite', 'PostgreSQL'].flatMap((name): Figure[] => [
      ...figuresOf(`warm, ${name}`, samples.get(name)!),
      shareByCpu(`warm, ${name}`, samples.get(name)!, ofBare),
      { ...shareOf(`warm, ${name}`, samples.get(name)!, ofBare), goal: WARM_GOAL },
    ]),
  ];
}

async function cold({ progress, resources }: BenchContext, bare: Target, stored: Stored): Promise<Figure[]> {
  const { database, requests } = stored;
  const name = `cold, ${database.kind}`;
  const samples: Sample[] = [];
  const bareSamples: Sample[] = [];
  const recorded: number[] = [];
  const measureBare = () => measure(bare, requests.slice(0, WARM_SESSIONS), { seconds: ROUND_SECONDS });
  for (let start = 1; start <= COLD_STARTS; start += 1) {
    await pauseHalf(database);
    progress.step(`${name}, start ${start}: bare before`);
    const before = await measureBare();
    progress.step(`${name}, start ${start}: ${COLD_SESSIONS} sessions`);
    const server = await ServerProcess.start(database, resources);
    const startedAt = Date.now();
    const sample = await measure(server, requests, { total: requests.length });
    await server.stop();
    samples.push(sample);
    recorded.push((await usedSince(database, startedAt)) / requests.length);
    progress.step(`${name}, start ${start}: bare after`);
    bareSamples.push(between(before, await measureBare()));
  }
  const share = shareOf(name, samples, bareSamples);
  return [
    ...figuresOf(name, samples),
    { name: `${name}: sessions whose use was recorded`, unit: 'of all', ...spread(recorded) },
    shareByCpu(name, samples, bareSamples),
    database.kind === 'SQLite' ? { ...share, goal: COLD_GOAL } : share,
  ];
}

/** Round by round, so that a slow moment of the machine weighs on both sides. */
function shareOf(name: string, samples: readonly Sample[], ofBare: readonly Sample[]): Figure {
  const shares = samples.map((sample, i) => sample.requestsPerSecond / ofBare[i]!.requestsPerSecond);
  return { name: `${name}: share of the bare server's rate`, unit: '', ...spread(shares) };
}

/** The same question asked of the processor: other work on the machine moves this figure least. */
function shareByCpu(name: string, samples: readonly Sample[], ofBare: readonly Sample[]): Figure {
  const shares = samples.map((sample, i) => ofBare[i]!.cpuMicroseconds / sample.cpuMicroseconds);
  return { name: `${name}: bare server's processor time per Ostiary's`, unit: '', ...spread(shares) };
}

function between(a: Sample, b: Sample): Sample {
  const mean = (key: keyof Sample) => (a[key] + b[key]) / 2;
  return {
    requestsPerSecond: mean('requestsPerSecond'),
    p50: mean('p50'),
    p99: mean('p99'),
    cpuMicroseconds: mean('cpuMicroseconds'),
  };
}
