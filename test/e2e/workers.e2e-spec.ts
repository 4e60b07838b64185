import { createServer, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, authorization, PASSWORD } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { sendRaw } from '../support/raw-http.js';
import { ostiaryJson, runServer, ServerProcess } from '../support/server-process.js';
import { TestStores } from '../support/test-stores.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

interface CreatedApplication {
  application_id: number;
  auth_key: string;
  auth_secret: string;
}

const WORKERS = 2;

/** Hashes that take a while, one after the other in each worker, so that a signal comes while they are waited for. */
const SLOW_HASHES = {
  OSTIARY_PASSWORDS__MEMORY_KIB: '65536',
  OSTIARY_PASSWORDS__ITERATIONS: '6',
  OSTIARY_PASSWORDS__POOL_SIZE: '1',
};

describeOnEachDatabase('a server with two workers', (kind) => {
  let database: TestDatabase;
  const running: ServerProcess[] = [];

  beforeEach(async () => {
    database = await createDatabase(kind);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.end('SIGKILL')));
    await database.remove();
  });
  const start = async (env: Record<string, string> = {}) => {
    const settings = { ...database.env, WORKERS: String(WORKERS), LOG_LEVEL: 'debug', ...env };
    const server = await ServerProcess.start(settings, { leadsGroup: true });
    running.push(server);
    return { server, api: new ApiClient(server.url) };
  };
  const createApplication = async () => {
    const env = { ...database.env, WORKERS: String(WORKERS) };
    const created = await ostiaryJson<CreatedApplication>(env, 'apps', 'create', '--name', 'Test');
    const { application_id, auth_key, auth_secret } = created;
    return { id: application_id, authKey: auth_key, authSecret: auth_secret } as Application;
  };
  /** Sign-ups of which every one has arrived, and not every one is answered, when this resolves. */
  const signUpsUnderWay = async ({ api }: { api: ApiClient }, application: Application, count: number) => {
    const statuses = Array.from({ length: count }, async (_, i) => {
      const body = { login: `user-${i}`, password: PASSWORD };
      return (await api.send('POST', '/v1/users', { as: application, body })).status;
    });
    await until(async () => {
      const { text } = await api.get('/metrics');
      const done = metric(text, 'ostiary_users_created_total{guest="false"}');
      const running = metric(text, 'ostiary_password_hashes_running');
      const waiting = metric(text, 'ostiary_password_hashes_waiting');
      return running > 0 && running + waiting + done >= count;
    });
    return statuses;
  };

  it('answers from both on one port, and a session begun on one connection works on all others', async () => {
    const application = await createApplication();
    const { server, api } = await start();
    const { session } = await api.user(application, 'alice');
    const statuses = await onOwnConnections(20, server.url, '/v1/users/me', session.token);
    expect(statuses).toEqual(Array<number>(20).fill(200));
    expect(await whoAnswered(server, '/v1/users/me', 20)).toEqual(workersOf(server).sort());
    expect(workersOf(server)).toHaveLength(WORKERS);
    expect(workersOf(server)).not.toContain(server.pid);
  });

  it('says once that it listens, and how many serve', async () => {
    const { server } = await start();
    expect(server.log.filter(({ msg }) => msg === 'listening')).toEqual([
      expect.objectContaining({
        pid: server.pid,
        url: server.url,
        management_url: server.url,
        database: kind,
        workers: WORKERS,
      }),
    ]);
    const { stderr } = await server.end();
    expect(stderr.match(/Ostiary is at/g)).toHaveLength(1);
  });

  it('replaces a worker that is killed, while the other one serves', async () => {
    const application = await createApplication();
    const { server, api } = await start();
    const { token } = await api.applicationSession(application);
    const [victim, other] = workersOf(server) as [number, number];
    process.kill(victim, 'SIGKILL');
    await until(() => server.log.some(({ msg }) => msg === 'worker ended unexpectedly'));
    expect(await onOwnConnections(10, server.url, '/v1/session', token)).toEqual(Array<number>(10).fill(200));
    await until(() => server.log.some(({ msg }) => msg === 'worker replaced'));
    const ended = server.log.find(({ msg }) => msg === 'worker ended unexpectedly');
    expect(ended).toMatchObject({ worker: victim, signal: 'SIGKILL', replaced_in_milliseconds: 0 });
    const replacement = workersOf(server).at(-1)!;
    expect([victim, other]).not.toContain(replacement);
    await onOwnConnections(10, server.url, '/v1/users/me', token);
    expect(await whoAnswered(server, '/v1/users/me', 10)).toEqual([other, replacement].sort());
  });

  it('replaces a worker whose replacement dies too, after a while', async () => {
    const { server } = await start();
    process.kill(workersOf(server)[0]!, 'SIGKILL');
    await until(() => server.log.some(({ msg }) => msg === 'worker replaced'));
    process.kill(workersOf(server).at(-1)!, 'SIGKILL');
    await until(() => server.log.filter(({ msg }) => msg === 'worker replaced').length === 2);
    const delays = server.log
      .filter(({ msg }) => msg === 'worker ended unexpectedly')
      .map(({ replaced_in_milliseconds }) => replaced_in_milliseconds);
    expect(delays).toEqual([0, 1000]);
  });

  it.each(['the parent', 'everybody'] as const)(
    'finishes what is in flight when %s is told to stop, and exits with 0',
    async (who) => {
      const application = await createApplication();
      const { server, api } = await start(SLOW_HASHES);
      const signUps = await signUpsUnderWay({ api }, application, 4);
      const { code, stderr } = await (who === 'the parent'
        ? server.end('SIGTERM')
        : server.endGroup('SIGINT'));
      expect(code).toBe(0);
      expect(stderr).not.toContain('Error');
      expect(await Promise.all(signUps)).toEqual([201, 201, 201, 201]);
      const said = server.log.map(({ msg }) => msg);
      expect(said.filter((msg) => msg === 'stopping' || msg === 'stopped')).toEqual(['stopping', 'stopped']);
      expect(said).not.toContain('worker ended unexpectedly');
    },
  );

  it('ends at once, with 1, when the parent is told twice', async () => {
    const application = await createApplication();
    const { server, api } = await start(SLOW_HASHES);
    const outcomes = Promise.allSettled(await signUpsUnderWay({ api }, application, 8));
    server.signal('SIGTERM');
    await until(() => server.log.some(({ msg }) => msg === 'stopping'));
    const { code } = await soon(server.end('SIGTERM'));
    expect(code).toBe(1);
    expect((await outcomes).filter(({ status }) => status === 'rejected')).not.toHaveLength(0);
  });

  it('leaves no worker behind when the parent is killed: they finish, write what is pending and go', async () => {
    const application = await createApplication();
    // The idle limit makes a touch due every 600 ms; the flush would come much later.
    const { server, api } = await start({
      ...SLOW_HASHES,
      OSTIARY_SESSIONS__TOUCH_FLUSH_MILLISECONDS: '60000',
    });
    const { token, id } = await api.applicationSession(application);
    const open = await TestStores.open(kind, { database });
    const longAgo = Date.now() - 3_600_000;
    await open.transactions.run(() =>
      open.transactions.query('UPDATE sessions SET last_used_at = :longAgo WHERE id = :id', { longAgo, id }),
    );
    await onOwnConnections(WORKERS, server.url, '/v1/session', token);
    const signUps = await signUpsUnderWay({ api }, application, 2);
    await soon(server.end('SIGKILL'));
    expect(await Promise.all(signUps)).toEqual([201, 201]);
    const [row] = await open.transactions.query<{ last_used_at: number }>(
      'SELECT last_used_at FROM sessions WHERE id = :id',
      { id },
    );
    await open.close();
    expect(row!.last_used_at).toBeGreaterThan(longAgo);
  });

  it('tries fewer than twice the limit of guesses that reach both at the same moment', async () => {
    const application = await createApplication();
    const { server, api } = await start();
    await api.signUp(application, { login: 'alice' });
    const body = { provider: 'password', credential: { login: 'alice', password: 'a guess' } };
    const guess = async () => (await api.send('POST', '/v1/sessions', { as: application, body })).status;
    const statuses = await Promise.all(Array.from({ length: 60 }, guess));
    const tried = statuses.filter((status) => status === 401).length;
    expect(statuses.filter((status) => status === 429)).toHaveLength(60 - tried);
    expect(tried).toBeLessThan(20);
    expect(await whoAnswered(server, '/v1/sessions', 60)).toHaveLength(WORKERS);
  });

  it('counts for all workers, whichever is asked, and forgets nothing when one is replaced', async () => {
    const application = await createApplication();
    const { server, api } = await start();
    const logins = Array.from({ length: 30 }, (_, i) => `user-${i}`);
    await Promise.all(logins.map((login) => api.signUp(application, { login })));
    expect(await whoAnswered(server, '/v1/users', 30)).toHaveLength(WORKERS);
    const scrape = async () => {
      const { body } = await sendRaw(server.url, { method: 'GET', target: '/metrics' });
      return [metric(body, 'ostiary_users_created_total{guest="false"}'), metric(body, 'ostiary_workers')];
    };
    const scrapes = await Promise.all(Array.from({ length: 8 }, scrape));
    expect(scrapes).toEqual(Array<number[]>(8).fill([30, WORKERS]));
    process.kill(workersOf(server)[0]!, 'SIGKILL');
    await until(() => server.log.some(({ msg }) => msg === 'worker replaced'));
    expect(await scrape()).toEqual([30, WORKERS]);
  });
});

describe('the metrics of several workers', () => {
  let folder: string;
  let server: ServerProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ostiary-workers-'));
  });
  afterEach(async () => {
    await server?.end('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  const start = async (env: Record<string, string> = {}) => {
    server = await ServerProcess.start({ DATA_DIR: folder, WORKERS: '2', LOG_LEVEL: 'debug', ...env });
    return server;
  };

  it.each([
    ['the main port', {}, 'metrics_unavailable'],
    ['the management port', { OSTIARY_MANAGEMENT__PORT: '0' }, 'unavailable'],
  ])('are all or none on %s: one that cannot be asked makes it 503', async (_, env, word) => {
    const { pid, log } = await start(env);
    const url = log.find(({ msg }) => msg === 'listening')!['management_url'] as string;
    const connection = new Agent({ keepAlive: true, maxSockets: 1 });
    const scrape = () => getOn(connection, `${url}/metrics`);
    expect((await scrape()).status).toBe(200);
    process.kill(pid, 'SIGSTOP');
    const answer = await scrape();
    process.kill(pid, 'SIGCONT');
    expect([answer.status, answer.body]).toEqual([503, expect.stringContaining(word)]);
    await until(async () => (await scrape()).status === 200);
    connection.destroy();
  });

  it('have the processor time and memory of all, the start of the parent, and the slowest event loop', async () => {
    const { url } = await start();
    const { body } = await sendRaw(url, { method: 'GET', target: '/metrics' });
    expect(metric(body, 'process_resident_memory_bytes')).toBeGreaterThan(200e6);
    expect(metric(body, 'process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
    expect(metric(body, 'nodejs_eventloop_lag_p99_seconds')).toBeLessThan(10);
    expect(body).toMatch(/^nodejs_version_info\{.*\} 1$/m);
  });
});

describe('several workers that cannot start', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ostiary-workers-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** One clear sentence on stderr, said once, nothing on stdout, exit status 1. */
  const expectSentence = async (sentence: RegExp, env: Record<string, string>) => {
    const { code, stdout, stderr } = await runServer({ DATA_DIR: folder, WORKERS: '2', ...env });
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(sentence),
    });
  };

  it('say once that the database server is not there', async () => {
    const env = {
      DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x',
      MASTER_KEY: Buffer.alloc(32).toString('base64'),
    };
    await expectSentence(/^The database cannot be reached[^\n]*\n$/, env);
  });

  it('say once that the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const PORT = String((other.address() as AddressInfo).port);
    await expectSentence(/^The port is taken[^\n]*\n$/, { PORT });
    await new Promise((resolve) => other.close(resolve));
  });

  it.each(['0', 'many', '1.5', '257', '{'])(
    'are refused by the path of the setting: WORKERS=%s',
    async (value) => {
      await expectSentence(/^The configuration has 1 fault:\n {2}- workers: [^\n]*\n$/, { WORKERS: value });
    },
  );
});

/** The workers that have come to serve, the latest last. */
function workersOf(server: ServerProcess): number[] {
  return server.log
    .filter(({ msg }) => msg === 'worker serving' || msg === 'worker replaced')
    .map(({ worker }) => worker as number);
}

/** Which processes have answered, once each such request is in the log: that is written a moment later. */
async function whoAnswered(server: ServerProcess, path: string, requests: number): Promise<number[]> {
  const lines = () => server.log.filter(({ msg, route }) => msg === 'request' && route === path);
  await until(() => lines().length === requests);
  return [...new Set(lines().map(({ pid }) => pid))].sort();
}

function onOwnConnections(count: number, url: string, target: string, as: string): Promise<number[]> {
  const headers = [['Authorization', authorization(as)]] as const;
  const ask = async () => (await sendRaw(url, { method: 'GET', target, headers })).status;
  return Promise.all(Array.from({ length: count }, ask));
}

function getOn(agent: Agent, url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, body }));
    });
    request.once('error', reject);
  });
}

/** 0 for what has not been counted yet. */
function metric(text: string, name: string): number {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/** That somebody is gone, workers included: the last one that holds the output has let go of it. */
function soon<T>(gone: Promise<T>): Promise<T> {
  const late = delay(15_000, undefined, { ref: false }).then(() => {
    throw new Error('somebody is still there after 15 seconds');
  });
  return Promise.race([gone, late]);
}

/** Waits for what has to come, and fails when it has not within a time that is ample on a busy machine. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('not so within half a minute');
    await delay(10);
  }
}
