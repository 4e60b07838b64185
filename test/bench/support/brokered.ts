import type { BenchContext, Figure } from './bench.js';
import { createPostgres, createSqlite, type BenchDatabase } from './bench-database.js';
import type { DirectOrder } from './direct-caller.js';
import { configInForce, createApplication, createProvider } from './installation.js';
import { rawRequest, runLoad } from './load.js';
import { askDirectly, startProvider } from './provider.js';
import { ServerProcess } from './server-process.js';
import { spread } from './statistics.js';

export const CONCURRENCY = 50;
const USERS = 500;
const ROUNDS = 5;
const ROUND_SECONDS = 4;
const FIRST_SIGN_INS = 1000;
/** As far away as providers are from most servers. */
const DISTANT_MILLISECONDS = 100;

const APP_ID = '1234567890123456';
const SECRET = 'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1';

/** A way to sign in whose cost is measured: beside the same calls without a broker. */
export interface BrokeredSignIn {
  readonly provider: DirectOrder['provider'];
  /** A definition for a provider at this origin. */
  definition(
    url: string,
    secrets: { readonly appId: string; readonly secret: string },
  ): {
    readonly kind: string;
    readonly options: object;
  };
  credential(token: string): object;
  /** At least so many a second of one processor, where that is a goal. */
  readonly perProcessorGoal?: number;
}

/** Where the provider is: beside the server, so that every processor is busy, or as far away as they are. */
interface Place {
  readonly slug: string;
  readonly name: string;
  readonly url: string;
  readonly isNear: boolean;
}

interface Round {
  readonly perSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly cpu: number;
}

/** p95 of a sign-in above that of the direct calls. */
const ADDED_GOAL = { below: 3 };

/** Measures a way to sign in on both databases, with the provider near and distant, and first sign-ins. */
export async function measureBrokered(signIn: BrokeredSignIn, context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(2 * (1 + 2 * (1 + 2 * ROUNDS) + ROUNDS));
  const placeOf = async (slug: string, name: string, delayMilliseconds: number): Promise<Place> => {
    const url = await startProvider({ appId: APP_ID, delayMilliseconds }, resources);
    return { slug, name, url, isNear: delayMilliseconds === 0 };
  };
  const places = [
    await placeOf('near', 'instant provider', 0),
    await placeOf('distant', `provider ${DISTANT_MILLISECONDS} ms away`, DISTANT_MILLISECONDS),
  ];
  const sqlite = createSqlite(resources);
  const figures = [
    ...(await measureOn(signIn, sqlite, places, context)),
    ...(await measureOn(signIn, await createPostgres(resources), places, context)),
  ];
  const { database } = await configInForce(sqlite, resources);
  return {
    conditions: {
      concurrency: `${CONCURRENCY} connections, kept alive, one request at a time on each; the generators wait for their sockets`,
      rounds: `${ROUNDS} of ${ROUND_SECONDS} s, direct and Ostiary in turn, ${USERS} known users; first sign-ins: ${FIRST_SIGN_INS} a round`,
      direct: 'the same calls with undici, of a process of its own, without a server and a database',
      provider: `stand-ins in processes of their own; the distant one takes ${DISTANT_MILLISECONDS / 2} to ${1.5 * DISTANT_MILLISECONDS} ms for each call, by the person`,
      'instant provider':
        'the server is never idle: what is added is fifty times what a sign-in costs, and more a second is the figure to look at',
      database: `SQLite synchronous=${database.sqliteSynchronous}; PostgreSQL fsync=on, pool of ${database.poolSize}`,
    },
    figures,
  };
}

async function measureOn(
  signIn: BrokeredSignIn,
  database: BenchDatabase,
  places: readonly Place[],
  { progress, resources }: BenchContext,
): Promise<Figure[]> {
  progress.step(`${database.kind}: starting`);
  const { id, basic } = await createApplication(database, resources);
  const env = { OUTBOUND_ALLOW: '127.0.0.1' };
  for (const { slug, url } of places) {
    const definition = signIn.definition(url, { appId: APP_ID, secret: SECRET });
    await createProvider({ ...database, env: { ...database.env, ...env } }, resources, id, {
      slug,
      ...definition,
    });
  }
  const server = await ServerProcess.start(database, resources, { env });
  const tokens = Array.from({ length: USERS }, (_, i) => tokenOf(i));
  const requestOf = (slug: string, token: string) =>
    rawRequest('POST', '/v1/sessions', basic, { provider: slug, credential: signIn.credential(token) });
  const figures: Figure[] = [];
  for (const place of places) {
    const requests = tokens.map((token) => requestOf(place.slug, token));
    progress.step(`${database.kind}, ${place.name}: warming up`);
    await load(server, requests, { total: 4 * USERS });
    const [direct, brokered]: [Round[], Round[]] = [[], []];
    for (let round = 1; round <= ROUNDS; round += 1) {
      progress.step(`${database.kind}, ${place.name}: direct, round ${round}`);
      direct.push(await directly(signIn, place, tokens));
      progress.step(`${database.kind}, ${place.name}: sign-ins, round ${round}`);
      brokered.push(await load(server, requests, { seconds: ROUND_SECONDS }));
    }
    figures.push(...figuresOf(`${database.kind}, ${place.name}`, direct, brokered, place, signIn));
  }
  const first: Round[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress.step(`${database.kind}: first sign-ins, round ${round}`);
    const from = USERS + round * FIRST_SIGN_INS;
    const requests = Array.from({ length: FIRST_SIGN_INS }, (_, i) =>
      requestOf(places[0]!.slug, tokenOf(from + i)),
    );
    first.push(await load(server, requests, { total: FIRST_SIGN_INS }));
  }
  await server.stop();
  return [...figures, ...roundFigures(`${database.kind}, first sign-ins`, first)];
}

async function directly(
  { provider }: BrokeredSignIn,
  { url }: Place,
  tokens: readonly string[],
): Promise<Round> {
  const report = await askDirectly({
    provider,
    url,
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
  { isNear }: Place,
  { perProcessorGoal }: BrokeredSignIn,
): Figure[] {
  const added = spread(brokered.map(({ p95 }, i) => p95 - direct[i]!.p95));
  const perProcessor = spread(brokered.map(({ cpu }) => 1000 / cpu));
  return [
    ...roundFigures(`${name}: direct`, direct).filter((figure) => !figure.name.endsWith('processor time')),
    ...roundFigures(`${name}: sign-in`, brokered),
    { name: `${name}: added to p95`, unit: 'ms', ...added, goal: ADDED_GOAL },
    ...(isNear
      ? [
          {
            name: `${name}: per second of one processor`,
            unit: '',
            ...perProcessor,
            ...(perProcessorGoal !== undefined && { goal: { atLeast: perProcessorGoal } }),
          },
        ]
      : []),
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
