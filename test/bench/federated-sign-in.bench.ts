import type { Bench, BenchContext, Figure } from './support/bench.js';
import { createPostgres, createSqlite, type BenchDatabase } from './support/bench-database.js';
import { askDirectly, startGraph } from './support/graph.js';
import { configInForce, createApplication, createProvider } from './support/installation.js';
import { rawRequest, runLoad } from './support/load.js';
import { ServerProcess } from './support/server-process.js';
import { spread } from './support/statistics.js';

const CONCURRENCY = 50;
const USERS = 500;
const ROUNDS = 5;
const ROUND_SECONDS = 3;
const FIRST_SIGN_INS = 1000;
/** As far away as Graph is from most servers. */
const DISTANT_MILLISECONDS = 100;

const ADDED_GOAL = { below: 3 };
const APP_ID = '1234567890123456';
const SECRET = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';

/** Where Graph is: beside the server, so that every processor is busy, or as far away as it really is. */
interface Place {
  readonly slug: string;
  readonly name: string;
  readonly graphUrl: string;
  readonly isNear: boolean;
}

interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly cpu: number;
}

export const federatedSignIn: Bench = {
  name: 'federated-sign-in',
  asks: 'POST /v1/sessions with a Facebook access token beside the same two calls to the same Graph without a broker',
  goals: [`known users, ${CONCURRENCY} at once: p95 at most 3 ms above that of the direct calls`],
  run: runFederatedSignIn,
};

async function runFederatedSignIn(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(2 * (1 + 2 * (1 + 2 * ROUNDS) + ROUNDS));
  const placeOf = async (slug: string, name: string, delayMilliseconds: number): Promise<Place> => {
    const { url: graphUrl } = await startGraph({ appId: APP_ID, delayMilliseconds }, resources);
    return { slug, name, graphUrl, isNear: delayMilliseconds === 0 };
  };
  const places = [
    await placeOf('near', 'Graph answers at once', 0),
    await placeOf('distant', `Graph takes ${DISTANT_MILLISECONDS} ms`, DISTANT_MILLISECONDS),
  ];
  const sqlite = createSqlite(resources);
  const figures = [
    ...(await measureOn(sqlite, places, context)),
    ...(await measureOn(await createPostgres(resources), places, context)),
  ];
  const { database } = await configInForce(sqlite, resources);
  return {
    conditions: {
      concurrency: `${CONCURRENCY} connections, kept alive, one request at a time on each; the generators wait for their sockets`,
      rounds: `${ROUNDS} of ${ROUND_SECONDS} s, direct and Ostiary in turn, ${USERS} known users; first sign-ins: ${FIRST_SIGN_INS} a round`,
      direct: 'debug_token and /me with undici, of a process of its own, without a server and a database',
      Graph: 'stand-ins in processes of their own; two calls for each sign-in',
      database: `SQLite synchronous=${database.sqliteSynchronous}; PostgreSQL fsync=on, pool of ${database.poolSize}`,
    },
    figures,
  };
}

async function measureOn(
  database: BenchDatabase,
  places: readonly Place[],
  { progress, resources }: BenchContext,
): Promise<Figure[]> {
  progress.step(`${database.kind}: starting`);
  const { id, basic } = await createApplication(database, resources);
  for (const { slug, graphUrl } of places) {
    const options = { apps: { [APP_ID]: { app_secret: SECRET } }, graph_url: graphUrl };
    await createProvider(database, resources, id, { kind: 'facebook', slug, options });
  }
  const env = { OUTBOUND_ALLOW: '127.0.0.1' };
  const server = await ServerProcess.start(database, resources, { env });
  const tokens = Array.from({ length: USERS }, (_, i) => tokenOf(i));
  const signIn = (slug: string, token: string) =>
    rawRequest('POST', '/v1/sessions', basic, { provider: slug, credential: { access_token: token } });
  const figures: Figure[] = [];
  for (const place of places) {
    const requests = tokens.map((token) => signIn(place.slug, token));
    progress.step(`${database.kind}, ${place.name}: warming up`);
    await load(server, requests, { total: 4 * USERS });
    const [direct, brokered]: [Round[], Round[]] = [[], []];
    for (let round = 1; round <= ROUNDS; round += 1) {
      progress.step(`${database.kind}, ${place.name}: direct, round ${round}`);
      direct.push(await directly(place, tokens));
      progress.step(`${database.kind}, ${place.name}: sign-ins, round ${round}`);
      brokered.push(await load(server, requests, { seconds: ROUND_SECONDS }));
    }
    figures.push(...figuresOf(`${database.kind}, ${place.name}`, direct, brokered, place.isNear));
  }
  const first: Round[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress.step(`${database.kind}: first sign-ins, round ${round}`);
    const from = USERS + round * FIRST_SIGN_INS;
    const requests = Array.from({ length: FIRST_SIGN_INS }, (_, i) =>
      signIn(places[0]!.slug, tokenOf(from + i)),
    );
    first.push(await load(server, requests, { total: FIRST_SIGN_INS }));
  }
  await server.stop();
  return [...figures, ...roundFigures(`${database.kind}, first sign-ins`, first)];
}

async function directly({ graphUrl }: Place, tokens: readonly string[]): Promise<Round> {
  const report = await askDirectly({
    graphUrl,
    appId: APP_ID,
    secret: SECRET,
    tokens,
    concurrency: CONCURRENCY,
    seconds: ROUND_SECONDS,
  });
  const { p50, p95, p99 } = report.latency;
  return { perSecond: report.requests / report.seconds, p50, p95, p99, cpu: 0 };
}

async function load(
  server: ServerProcess,
  requests: readonly string[],
  until: { readonly seconds: number } | { readonly total: number },
): Promise<Round> {
  const before = server.cpuMicroseconds();
  const order = { host: '127.0.0.1', port: server.port, connections: CONCURRENCY, requests, quiet: true };
  const report = await runLoad({ ...order, ...until }, 201);
  const { p50, p95, p99 } = report.latency;
  const cpu = (server.cpuMicroseconds() - before) / report.requests / 1000;
  return { perSecond: report.requests / report.seconds, p50, p95, p99, cpu };
}

function figuresOf(
  name: string,
  direct: readonly Round[],
  brokered: readonly Round[],
  hasGoal: boolean,
): Figure[] {
  const added = spread(brokered.map(({ p95 }, i) => p95 - direct[i]!.p95));
  return [
    ...roundFigures(`${name}: direct`, direct).filter((figure) => !figure.name.endsWith('processor time')),
    ...roundFigures(`${name}: sign-in`, brokered),
    {
      name: `${name}: added to p95`,
      unit: 'ms',
      ...added,
      ...(hasGoal && { goal: ADDED_GOAL }),
    },
  ];
}

function roundFigures(name: string, rounds: readonly Round[]): Figure[] {
  const over = (key: keyof Round) => spread(rounds.map((round) => round[key]));
  return [
    { name: `${name}: per second`, unit: '', ...over('perSecond') },
    { name: `${name}: p50`, unit: 'ms', ...over('p50') },
    { name: `${name}: p95`, unit: 'ms', ...over('p95') },
    { name: `${name}: p99`, unit: 'ms', ...over('p99') },
    { name: `${name}: processor time`, unit: 'ms', ...over('cpu') },
  ];
}

/** As long as Facebook's are. */
function tokenOf(person: number): string {
  return `EAA${10_000_000_000_000_000 - 1 - person}Z`.padEnd(200, 'x');
}
