import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, BenchContext, Figure } from './support/bench.js';
import { createPostgres, createSqlite, type BenchDatabase } from './support/bench-database.js';
import { startProvider, type StandIn } from './support/provider.js';
import type { ProviderState } from './support/provider-server.js';
import { configInForce, createApplication, createProvider } from './support/installation.js';
import { rawRequest, runLoad } from './support/load.js';
import { ServerProcess } from './support/server-process.js';
import { spread } from './support/statistics.js';

const ROUNDS = 3;
const ROUND_SECONDS = 20;
const USERS = 200;
const START_MILLISECONDS = 6000;
/** Of the application that nothing is wrong with. */
const PACED_PER_SECOND = 50;
/** At each of the two other partners, well or in trouble. */
const OTHERS_PER_SECOND = 100;
/** More than have a place or wait for one at a partner, so that arrivals never wait for answers. */
const OTHERS_CONNECTIONS = 700;
const RECOVERY_LIMIT_MILLISECONDS = 60_000;

const RATIO_GOAL = { below: 1.1 };
const APP_ID = '1234567890123456';
const MIB = 1024 * 1024;

interface Partners {
  readonly well: StandIn;
  readonly hanging: StandIn;
  readonly failing: StandIn;
}

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly mib: number;
  readonly openBreakers: number;
}

export const cidpChaos: Bench = {
  name: 'cidp-chaos',
  asks: `sign-ins of one application at ${PACED_PER_SECOND} a second: alone, beside ${2 * OTHERS_PER_SECOND} a second at two other partners that are well, and beside as many while one of the two hangs and one answers 500s`,
  goals: [
    'p99 of the application that nothing is wrong with: at most 10 % above that while the other partners are well',
  ],
  run: runChaos,
};

async function runChaos(context: BenchContext) {
  const { progress, resources } = context;
  progress.plan(2 * (2 + 3 * ROUNDS + 1));
  const partner = (state: ProviderState) =>
    startProvider({ appId: APP_ID, delayMilliseconds: 0, state }, resources);
  const partners: Partners = {
    well: await partner('well'),
    hanging: await partner('hanging'),
    failing: await partner('failing'),
  };
  const sqlite = createSqlite(resources);
  const figures = [
    ...(await measureOn(sqlite, partners, context)),
    ...(await measureOn(await createPostgres(resources), partners, context)),
  ];
  const { database } = await configInForce(sqlite, resources);
  return {
    conditions: {
      rounds: `${ROUNDS} of ${ROUND_SECONDS} s, alone, beside others and disturbed in turn; each disturbed one with providers of its own, whose breakers are closed when it begins`,
      load: 'fixed rates of arrival, latency from when a request was due; the generators wait for their sockets',
      partners: 'of the kind http; stand-ins in processes of their own',
      database: `SQLite synchronous=${database.sqliteSynchronous}; PostgreSQL fsync=on, pool of ${database.poolSize}`,
    },
    figures,
  };
}

async function measureOn(
  database: BenchDatabase,
  partners: Partners,
  { progress, resources }: BenchContext,
): Promise<Figure[]> {
  progress.step(`${database.kind}: starting`);
  const [wellApp, hangingApp, failingApp] = [
    await createApplication(database, resources),
    await createApplication(database, resources),
    await createApplication(database, resources),
  ];
  const addProvider = (to: { id: number }, slug: string, { url }: StandIn) =>
    createProvider(database, resources, to.id, {
      kind: 'http',
      slug,
      options: {
        url: `${url}/verify`,
        method: 'POST',
        params: { token: '#{token}' },
        mapping: { uid: '#{user.id}', full_name: '#{user.name}', email: '#{user.email}' },
      },
    });
  for (const app of [wellApp, hangingApp, failingApp]) await addProvider(app, 'well', partners.well);
  for (let round = 1; round <= ROUNDS; round += 1) {
    await addProvider(hangingApp, `hanging-${round}`, partners.hanging);
    await addProvider(failingApp, `failing-${round}`, partners.failing);
  }
  const server = await ServerProcess.start(database, resources, {
    // All clients have one address here, which the throttle would take for one attacker's.
    env: { OUTBOUND_ALLOW: '127.0.0.1', OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '1000000' },
    unheard: true,
  });

  const signIns = (basic: string, provider: string) =>
    Array.from({ length: USERS }, (_, i) =>
      rawRequest('POST', '/v1/sessions', basic, { provider, credential: { token: tokenOf(i) } }),
    );
  const load = (
    requests: readonly string[],
    rate: number,
    connections: number,
    status: number,
    beginAt: number,
  ) =>
    runLoad(
      {
        beginAt,
        host: '127.0.0.1',
        port: server.port,
        connections,
        requests,
        rate,
        total: rate * ROUND_SECONDS,
        quiet: true,
      },
      status,
    );
  const paced = (beginAt: number) => load(signIns(wellApp.basic, 'well'), PACED_PER_SECOND, 20, 201, beginAt);
  const others = (basic: string, slug: string, status: number) => (beginAt: number) =>
    load(signIns(basic, slug), OTHERS_PER_SECOND, OTHERS_CONNECTIONS, status, beginAt);
  const measured = async (...beside: ((beginAt: number) => Promise<unknown>)[]): Promise<Round> => {
    const watch = watchServer(server);
    // What starting the generators costs is no part of it.
    const beginAt = Date.now() + START_MILLISECONDS;
    const [{ latency }] = await Promise.all([paced(beginAt), ...beside.map((load) => load(beginAt))]);
    return { p50: latency.p50, p99: latency.p99, ...(await watch.stop()) };
  };

  progress.step(`${database.kind}: warming up`);
  await paced(Date.now());
  const [alone, beside, disturbed]: [Round[], Round[], Round[]] = [[], [], []];
  for (let round = 1; round <= ROUNDS; round += 1) {
    progress.step(`${database.kind}: alone, round ${round}`);
    alone.push(await measured());
    progress.step(`${database.kind}: beside others, round ${round}`);
    beside.push(await measured(others(hangingApp.basic, 'well', 201), others(failingApp.basic, 'well', 201)));
    progress.step(`${database.kind}: disturbed, round ${round}`);
    disturbed.push(
      await measured(
        others(hangingApp.basic, `hanging-${round}`, 503),
        others(failingApp.basic, `failing-${round}`, 503),
      ),
    );
  }

  progress.step(`${database.kind}: the partners are well again`);
  partners.hanging.become('well');
  partners.failing.become('well');
  const recoveries = await Promise.all([
    recovery(server, hangingApp.basic, `hanging-${ROUNDS}`),
    recovery(server, failingApp.basic, `failing-${ROUNDS}`),
  ]);
  partners.hanging.become('hanging');
  partners.failing.become('failing');
  await server.stop();
  return figuresOf(database.kind, { alone, beside, disturbed }, recoveries);
}

/** What the server says of itself once a second. */
function watchServer(server: ServerProcess) {
  const stopped = new AbortController();
  let [mib, openBreakers] = [0, 0];
  const watching = (async () => {
    do {
      mib = Math.max(mib, server.residentBytes() / MIB);
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const open = /^ostiary_identity_provider_breakers_open (\d+)$/m.exec(text);
      openBreakers = Math.max(openBreakers, Number(open![1]));
      await delay(1000, undefined, { signal: stopped.signal }).catch(() => undefined);
    } while (!stopped.signal.aborted);
  })();
  return {
    stop: async () => {
      stopped.abort();
      await watching;
      return { mib, openBreakers };
    },
  };
}

/** Milliseconds from when a partner is well again to the first sign-in there. */
async function recovery(server: ServerProcess, basic: string, provider: string): Promise<number> {
  const startedAt = performance.now();
  const body = JSON.stringify({ provider, credential: { token: tokenOf(1) } });
  const headers = { authorization: basic, 'content-type': 'application/json' };
  while (performance.now() - startedAt < RECOVERY_LIMIT_MILLISECONDS) {
    const answer = await fetch(`${server.url}/v1/sessions`, { method: 'POST', headers, body });
    await answer.arrayBuffer();
    if (answer.status === 201) return performance.now() - startedAt;
    await delay(100);
  }
  throw new Error(`${provider} is well and nobody can sign in there.`);
}

function figuresOf(
  kind: string,
  rounds: Readonly<Record<'alone' | 'beside' | 'disturbed', readonly Round[]>>,
  recoveries: readonly number[],
): Figure[] {
  const { alone, beside, disturbed } = rounds;
  const named = [
    { name: `${kind}, alone`, of: alone },
    { name: `${kind}, beside others`, of: beside },
    { name: `${kind}, disturbed`, of: disturbed },
  ];
  const over = (of: readonly Round[], key: keyof Round) => spread(of.map((round) => round[key]));
  const ratios = (to: readonly Round[]) => spread(disturbed.map(({ p99 }, i) => p99 / to[i]!.p99));
  return [
    ...named.flatMap(({ name, of }) => [
      { name: `${name}: p50`, unit: 'ms', ...over(of, 'p50') },
      { name: `${name}: p99`, unit: 'ms', ...over(of, 'p99') },
      { name: `${name}: resident`, unit: 'MiB', ...over(of, 'mib') },
    ]),
    { name: `${kind}: p99 disturbed, of beside others`, unit: '', ...ratios(beside), goal: RATIO_GOAL },
    { name: `${kind}: p99 disturbed, of alone`, unit: '', ...ratios(alone) },
    {
      name: `${kind}: breakers open at the end, of ${2 * ROUNDS}`,
      unit: '',
      value: Math.max(...disturbed.map(({ openBreakers }) => openBreakers)),
    },
    { name: `${kind}: well again after`, unit: 's', ...spread(recoveries.map((ms) => ms / 1000)) },
  ];
}

/** As long as Facebook's are. */
function tokenOf(person: number): string {
  return `EAA${10_000_000_000_000_000 - 1 - person}Z`.padEnd(200, 'x');
}
