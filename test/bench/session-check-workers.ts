import type { BenchContext, BenchResult, Figure } from './support/bench.js';
import { createPostgres, createSqlite, type BenchDatabase } from './support/bench-database.js';
import { configInForce } from './support/installation.js';
import { pinGenerator, pinServer, PROCESSORS_IN_WORDS } from './support/processors.js';
import { ServerProcess } from './support/server-process.js';
import { CONNECTIONS_IN_WORDS, figuresOf, measure, store, type Sample } from './support/session-checks.js';
import { spread } from './support/statistics.js';

const ROUNDS = 7;
const ROUND_SECONDS = 4;
const WARM_UP_SECONDS = 3;
const SESSIONS = 1000;

/** No worse than one process; the tenth is what rounds on a machine that does other things differ by. */
const GOAL = { below: 1.1 };

/** A round, and what the least busy worker did of the work of all workers. */
interface SharedSample extends Sample {
  readonly smallestShare: number;
}

/**
 * Session checks against several workers, and against one process as control, in turn and on the same processors. The
 * generator has one to itself: on a machine of few the rates say little, and the processor time is what is judged.
 */
export async function runSessionCheckWithWorkers(
  context: BenchContext,
  workers: number,
): Promise<BenchResult> {
  const { progress, resources } = context;
  progress.plan(2 * (1 + 2 + ROUNDS * 2));
  const sqlite = createSqlite(resources);
  const figures = await compare(context, sqlite, workers);
  figures.push(...(await compare(context, await createPostgres(resources), workers)));
  const { database } = await configInForce(sqlite, resources);
  return {
    conditions: {
      workers,
      connections: CONNECTIONS_IN_WORDS,
      rounds: `${ROUNDS} of ${ROUND_SECONDS} s each, one process and ${workers} workers in turn, ${SESSIONS} sessions`,
      processors: PROCESSORS_IN_WORDS,
      'processor time': 'of all processes of a server, the parent of the workers included',
      database: `SQLite synchronous=${database.sqliteSynchronous}; PostgreSQL fsync=on`,
    },
    figures,
  };
}

async function compare(context: BenchContext, database: BenchDatabase, workers: number): Promise<Figure[]> {
  const { progress, resources } = context;
  progress.step(`storing sessions in ${database.kind}`);
  const { requests } = await store(database, SESSIONS, context);
  const one = await ServerProcess.start(database, resources);
  const several = await ServerProcess.start(database, resources, { workers });
  pinServer([...one.pids, ...several.pids]);
  const ofOne: Sample[] = [];
  const ofSeveral: SharedSample[] = [];
  const measureSeveral = async (seconds: number): Promise<SharedSample> => {
    const before = several.workerCpuMicroseconds();
    const sample = await measure(several, requests, { seconds }, pinGenerator);
    const used = several.workerCpuMicroseconds().map((cpu, i) => cpu - before[i]!);
    return { ...sample, smallestShare: Math.min(...used) / used.reduce((sum, cpu) => sum + cpu, 0) };
  };
  progress.step(`warming up: one process on ${database.kind}`);
  await measure(one, requests, { seconds: WARM_UP_SECONDS }, pinGenerator);
  progress.step(`warming up: ${workers} workers on ${database.kind}`);
  await measureSeveral(WARM_UP_SECONDS);
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress.step(`round ${round}: one process on ${database.kind}`);
    ofOne.push(await measure(one, requests, { seconds: ROUND_SECONDS }, pinGenerator));
    progress.step(`round ${round}: ${workers} workers on ${database.kind}`);
    ofSeveral.push(await measureSeveral(ROUND_SECONDS));
  }
  await one.stop();
  await several.stop();
  const ratios = ofSeveral.map(({ cpuMicroseconds }, i) => cpuMicroseconds / ofOne[i]!.cpuMicroseconds);
  const name = `${workers} workers, ${database.kind}`;
  return [
    ...figuresOf(`one process, ${database.kind}`, ofOne),
    ...figuresOf(name, ofSeveral),
    {
      name: `${name}: work of the least busy one`,
      unit: 'of all',
      ...spread(ofSeveral.map(({ smallestShare }) => smallestShare)),
    },
    { name: `${name}: processor time per request, to one process`, unit: '', ...spread(ratios), goal: GOAL },
  ];
}
