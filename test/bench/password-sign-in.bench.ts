import { startBareHasher } from './support/bare.js';
import type { Bench, BenchContext, Figure } from './support/bench.js';
import { createSqlite, type BenchDatabase } from './support/bench-database.js';
import { configInForce, createApplication, type BenchApplication } from './support/installation.js';
import { rawRequest, runLoad } from './support/load.js';
import { ServerProcess } from './support/server-process.js';
import { spread } from './support/statistics.js';

const USERS = 50;
const ROUNDS = 7;
const ROUND_SECONDS = 4;
/** Sign-ins waiting for each place of the pool: it is never empty, and the queue never full. */
const WAITING_PER_PLACE = 8;
const STORM_ROUNDS = 3;
const STORM_SECONDS = 10;
/** Below the 100 tries that may be under way from one address, and the 256 that may wait for the pool. */
const STORM_CONNECTIONS = 64;
const CHECKS_PER_SECOND = 500;
const CHECK_CONNECTIONS = 16;

const RATE_GOAL = { atLeast: 0.9 };
const STORM_GOAL = { below: 25 };
const PASSWORD = 'correct horse battery staple';

export const passwordSignIn: Bench = {
  name: 'password-sign-in',
  asks: 'POST /v1/sessions with a password beside bare argon2id, and session checks during a storm of sign-ins',
  goals: [
    'sign-ins per second: at least 0.90 of raw argon2id with the same parameters and pool',
    `session checks at ${CHECKS_PER_SECOND}/s during a storm of sign-ins: p99 below 25 ms`,
  ],
  run: runPasswordSignIn,
};

async function runPasswordSignIn(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(1 + 2 + ROUNDS * 2 + STORM_ROUNDS * 2);
  progress.step(`signing ${USERS} users up`);
  const database = createSqlite(resources);
  const { passwords, database: settings } = await configInForce(database, resources);
  const application = await createApplication(database, resources);
  const server = await ServerProcess.start(database, resources);
  const signIns = await signUp(server, application);

  const rates = await rateFigures(context, database, server, signIns, passwords.poolSize);
  const storm = await stormFigures(context, server, application, signIns);
  const { memoryKib, iterations, parallelism, poolSize, queueLimit } = passwords;
  return {
    conditions: {
      argon2id: `m=${memoryKib} KiB, t=${iterations}, p=${parallelism}`,
      pool: `${poolSize} at once, ${queueLimit} may wait`,
      database: `SQLite synchronous=${settings.sqliteSynchronous}`,
      rate: `${ROUNDS} rounds of ${ROUND_SECONDS} s each, raw and Ostiary in turn, ${poolSize * (1 + WAITING_PER_PLACE)} connections, ${USERS} users`,
      storm: `${STORM_ROUNDS} rounds of ${STORM_SECONDS} s, ${STORM_CONNECTIONS} connections signing in, ${CHECK_CONNECTIONS} checking; latency counted from when a check was due`,
    },
    figures: [...rates, ...storm],
  };
}

/** @returns one sign-in request for each user. */
async function signUp(server: ServerProcess, { basic }: BenchApplication): Promise<string[]> {
  const requests: string[] = [];
  for (let i = 0; i < USERS; i += 1) {
    const login = `bench-${i}`;
    await post(server, '/v1/users', basic, { login, password: PASSWORD });
    const body = { provider: 'password', credential: { login, password: PASSWORD } };
    requests.push(rawRequest('POST', '/v1/sessions', basic, body));
  }
  return requests;
}

async function rateFigures(
  { progress, resources }: BenchContext,
  database: BenchDatabase,
  server: ServerProcess,
  signIns: readonly string[],
  poolSize: number,
): Promise<Figure[]> {
  const [row] = await database.query<{ hash: string }>(
    'SELECT password_hash AS hash FROM users ORDER BY id LIMIT 1',
  );
  const order = { hash: row!.hash, password: PASSWORD, concurrency: poolSize };
  const hasher = startBareHasher(resources);
  const raw = async (seconds: number) => {
    const cpuBefore = hasher.cpuMicroseconds();
    const report = await hasher.verify({ ...order, seconds });
    const cpu = (hasher.cpuMicroseconds() - cpuBefore) / 1000 / report.verifications;
    return { rate: report.verifications / report.seconds, cpu };
  };
  const connections = poolSize * (1 + WAITING_PER_PLACE);
  const signIn = async (seconds: number) => {
    const cpuBefore = server.cpuMicroseconds();
    const report = await runLoad(
      { ...at(server), connections, requests: signIns, seconds, quiet: true },
      201,
    );
    const cpu = (server.cpuMicroseconds() - cpuBefore) / 1000 / report.requests;
    return { rate: report.requests / report.seconds, cpu, latency: report.latency };
  };
  progress.step('warming up: raw argon2id');
  await raw(1);
  progress.step('warming up: sign-ins');
  await signIn(2);
  const rawRounds: Awaited<ReturnType<typeof raw>>[] = [];
  const rounds: Awaited<ReturnType<typeof signIn>>[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress.step(`round ${round}: raw argon2id`);
    rawRounds.push(await raw(ROUND_SECONDS));
    progress.step(`round ${round}: sign-ins`);
    rounds.push(await signIn(ROUND_SECONDS));
  }
  const shares = rounds.map(({ rate }, i) => rate / rawRounds[i]!.rate);
  return [
    {
      name: 'raw argon2id: verifications per second',
      unit: '',
      ...spread(rawRounds.map(({ rate }) => rate)),
    },
    { name: 'raw argon2id: processor time', unit: 'ms', ...spread(rawRounds.map(({ cpu }) => cpu)) },
    { name: 'sign-ins per second', unit: '', ...spread(rounds.map(({ rate }) => rate)) },
    { name: 'sign-in: processor time', unit: 'ms', ...spread(rounds.map(({ cpu }) => cpu)) },
    {
      name: 'sign-in: latency p99, waiting for the pool included',
      unit: 'ms',
      ...spread(rounds.map(({ latency }) => latency.p99)),
    },
    { name: 'sign-in: answers other than 201', unit: '', value: 0 },
    { name: "sign-ins: share of raw argon2id's rate", unit: '', ...spread(shares), goal: RATE_GOAL },
  ];
}

async function stormFigures(
  { progress }: BenchContext,
  server: ServerProcess,
  { basic }: BenchApplication,
  signIns: readonly string[],
): Promise<Figure[]> {
  const { session } = (await post(server, '/v1/sessions', basic, {})) as { session: { token: string } };
  const checks = [rawRequest('GET', '/v1/session', `Bearer ${session.token}`)];
  const check = () =>
    runLoad(
      {
        ...at(server),
        connections: CHECK_CONNECTIONS,
        requests: checks,
        seconds: STORM_SECONDS,
        rate: CHECKS_PER_SECOND,
        // A generator that spins would take the processor that the hashes were given.
        quiet: true,
      },
      200,
    );
  // Begins before the checks and ends after them.
  const storm = () =>
    runLoad(
      {
        ...at(server),
        connections: STORM_CONNECTIONS,
        requests: signIns,
        seconds: STORM_SECONDS + 3,
        quiet: true,
      },
      201,
    );
  const calm: Awaited<ReturnType<typeof check>>[] = [];
  const stormy: Awaited<ReturnType<typeof check>>[] = [];
  const signInRates: number[] = [];
  for (let round = 1; round <= STORM_ROUNDS; round += 1) {
    progress.step(`checks in calm, round ${round}`);
    calm.push(await check());
    progress.step(`checks in a storm, round ${round}`);
    const [signedIn, checked] = await Promise.all([storm(), afterSeconds(1).then(check)]);
    stormy.push(checked);
    signInRates.push(signedIn.requests / signedIn.seconds);
  }
  const latency = (reports: typeof calm, key: 'p50' | 'p99' | 'max') =>
    spread(reports.map((report) => report.latency[key]));
  return [
    { name: 'calm: check latency p50', unit: 'ms', ...latency(calm, 'p50') },
    { name: 'calm: check latency p99', unit: 'ms', ...latency(calm, 'p99') },
    { name: 'storm: sign-ins per second', unit: '', ...spread(signInRates) },
    {
      name: 'storm: checks per second',
      unit: '',
      ...spread(stormy.map(({ requests, seconds }) => requests / seconds)),
    },
    { name: 'storm: check latency p50', unit: 'ms', ...latency(stormy, 'p50') },
    { name: 'storm: check latency max', unit: 'ms', ...latency(stormy, 'max') },
    { name: 'storm: check latency p99', unit: 'ms', ...latency(stormy, 'p99'), goal: STORM_GOAL },
  ];
}

function at({ port }: ServerProcess) {
  return { host: '127.0.0.1', port };
}

async function post(server: ServerProcess, path: string, authorization: string, body: unknown) {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`POST ${path} answered ${response.status}: ${text}`);
  return JSON.parse(text) as unknown;
}

function afterSeconds(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
