import { Agent, request } from 'node:http';
import type { Bench, BenchContext, Distribution, Figure } from './support/bench.js';
import { createPostgres, createSqlite, type BenchDatabase } from './support/bench-database.js';
import { createApplication } from './support/installation.js';
import { ServerProcess } from './support/server-process.js';
import { storeSessions } from './support/stored-sessions.js';

const REVOCATIONS = 5000;
const LANES = 8;
const CONTROL_REVOCATIONS = 1000;
const P99_GOAL = { below: 250 };
const BUCKET_MILLISECONDS = 10;
const BUCKETS = 50;

export const revocation: Bench = {
  name: 'revocation',
  asks: 'how long after one process has ended a session another one still accepts its token',
  goals: ['two processes, with the doorbell: p99 below 250 ms, on SQLite and on PostgreSQL'],
  run: runRevocation,
};

async function runRevocation(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(6);
  const figures: Figure[] = [];
  const distributions: Distribution[] = [];
  for (const database of [createSqlite(resources), await createPostgres(resources)]) {
    progress.step(`${database.kind}: storing sessions`);
    const tokens = await store(database, context);
    const [first, second] = [
      await ServerProcess.start(database, resources),
      await ServerProcess.start(database, resources),
    ];
    progress.step(`${database.kind}: the process that ends them asked itself`);
    const control = await revokeAll(first, first, tokens.slice(0, CONTROL_REVOCATIONS));
    progress.step(`${database.kind}: ${REVOCATIONS} revocations`);
    const delays = await revokeAll(first, second, tokens.slice(CONTROL_REVOCATIONS));
    await Promise.all([first.stop(), second.stop()]);
    figures.push(...figuresOf(`${database.kind}, control (one process)`, control));
    figures.push(
      ...figuresOf(database.kind, delays).map((figure) =>
        figure.name.endsWith('p99') ? { ...figure, goal: P99_GOAL } : figure,
      ),
    );
    distributions.push(
      distributionOf(`${database.kind}: accepted for so long after the end was answered`, delays),
    );
  }
  return {
    conditions: {
      revocations: `${REVOCATIONS} on each database, ${LANES} at a time, each of a session that the other process has in memory`,
      measured:
        'from the answer to DELETE /v1/session at one process to the beginning of the last request that the other one accepted',
      control: `${CONTROL_REVOCATIONS} revocations asked about at the process that made them`,
    },
    figures,
    distributions,
  };
}

async function store(database: BenchDatabase, { resources }: BenchContext): Promise<string[]> {
  const { id } = await createApplication(database, resources);
  const tokens = await storeSessions(database, id, CONTROL_REVOCATIONS + REVOCATIONS);
  // In use now: their uses are not what is measured.
  await database.query(`UPDATE sessions SET last_used_at = ${Date.now()}`);
  await database.settle();
  return tokens;
}

/** @returns for each token how long it was accepted by `asked` after `ending` had answered, in milliseconds. */
async function revokeAll(
  ending: ServerProcess,
  asked: ServerProcess,
  tokens: readonly string[],
): Promise<number[]> {
  const left = [...tokens];
  const delays: number[] = [];
  const agent = new Agent({ keepAlive: true });
  await Promise.all(
    Array.from({ length: LANES }, async () => {
      for (let token = left.pop(); token !== undefined; token = left.pop()) {
        delays.push(await revokeOne(agent, ending, asked, token));
      }
    }),
  );
  agent.destroy();
  return delays;
}

async function revokeOne(
  agent: Agent,
  ending: ServerProcess,
  asked: ServerProcess,
  token: string,
): Promise<number> {
  for (let i = 0; i < 2; i += 1) expectStatus(200, await send(agent, asked, 'GET', token));
  expectStatus(204, await send(agent, ending, 'DELETE', token));
  const answeredAt = performance.now();
  for (let acceptedFor = 0; ;) {
    const askedAt = performance.now();
    const status = await send(agent, asked, 'GET', token);
    if (status === 401) return acceptedFor;
    expectStatus(200, status);
    acceptedFor = askedAt - answeredAt;
  }
}

function send(agent: Agent, { port }: ServerProcess, method: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent, host: '127.0.0.1', port, method, path: '/v1/session', headers },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode!));
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}

function expectStatus(expected: number, status: number): void {
  if (status !== expected) throw new Error(`A request was answered ${status} instead of ${expected}.`);
}

function figuresOf(name: string, delays: readonly number[]): Figure[] {
  const sorted = [...delays].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  const figures: [string, number][] = [
    ['p50', at(0.5)],
    ['p99', at(0.99)],
    ['largest', sorted.at(-1)!],
  ];
  return figures.map(([which, value]) => ({ name: `${name}: ${which}`, unit: 'ms', value }));
}

function distributionOf(name: string, delays: readonly number[]): Distribution {
  const buckets = Array.from({ length: BUCKETS }, (_, i) => ({
    from: i * BUCKET_MILLISECONDS,
    // The last one takes whatever is beyond.
    to: i === BUCKETS - 1 ? Infinity : (i + 1) * BUCKET_MILLISECONDS,
    count: 0,
  }));
  for (const delay of delays) {
    buckets[Math.min(BUCKETS - 1, Math.floor(delay / BUCKET_MILLISECONDS))]!.count += 1;
  }
  return { name, unit: 'ms', buckets };
}
