import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { SystemClock } from '../../src/time/clock.js';
import { addFacebook, TOWARDS_STAND_INS } from '../support/facebook/facebook-installation.js';
import { GraphDouble } from '../support/facebook/graph-double.js';
import { TestStores } from '../support/test-stores.js';
import { ApiClient, PASSWORD, type Begun, type SessionBody } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiaryJson, runServer, ServerProcess } from '../support/server-process.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const FACEBOOK_APP = { id: '1111111111111111', secret: '1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a' };

interface CreatedApplication {
  application_id: number;
  auth_key: string;
  auth_secret: string;
}

const asApplication = ({ application_id, auth_key, auth_secret }: CreatedApplication) =>
  ({ id: application_id, authKey: auth_key, authSecret: auth_secret }) as Application;

describeOnEachDatabase('the server as a process', (kind) => {
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
    const server = await ServerProcess.start({ ...database.env, ...env });
    running.push(server);
    return { server, api: new ApiClient(server.url) };
  };
  const createApplication = async () =>
    asApplication(await ostiaryJson<CreatedApplication>(database.env, 'apps', 'create', '--name', 'Test'));

  it('lets a hundred sign-ups with one login, sent to two processes, make one user and ninety-nine conflicts', async () => {
    const application = await createApplication();
    const apis = (await Promise.all([start(), start()])).map(({ api }) => api);
    const signUp = (login: string, i: number) =>
      apis[i % 2]!.send('POST', '/v1/users', { as: application, body: { login, password: PASSWORD } });
    const same = await Promise.all(Array.from({ length: 100 }, (_, i) => signUp('alice', i)));
    const codes = same.map(({ status, body }) =>
      status === 201 ? 'created' : `${status} ${String(body['code'])}`,
    );
    expect(codes.sort()).toEqual([...Array<string>(99).fill('409 identifier_taken'), 'created']);

    const different = await Promise.all(Array.from({ length: 100 }, (_, i) => signUp(`user-${i}`, i)));
    expect(different.map(({ status }) => status)).toEqual(Array<number>(100).fill(201));
    const ids = new Set(different.map(({ body }) => (body['user'] as { id: number }).id));
    expect(ids.size).toBe(100);
  });

  it('finishes what is in flight when told to stop, and exits with 0', async () => {
    const application = await createApplication();
    // Hashes that take a while, one after the other, so that the signal comes while they are waited for.
    const { server, api } = await start({
      OSTIARY_PASSWORDS__MEMORY_KIB: '65536',
      OSTIARY_PASSWORDS__ITERATIONS: '3',
      OSTIARY_PASSWORDS__POOL_SIZE: '1',
    });
    const signUps = Promise.all(
      Array.from({ length: 4 }, (_, i) =>
        api.send('POST', '/v1/users', { as: application, body: { login: `user-${i}`, password: PASSWORD } }),
      ),
    );
    // All four are being worked on, or wait for the one that is.
    const taken = async () => {
      const { text } = await api.get('/metrics');
      const of = (name: string) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)![1]);
      return of('ostiary_password_hashes_running') + of('ostiary_password_hashes_waiting');
    };
    while ((await taken()) < 4);
    const { code } = await server.end();
    expect(code).toBe(0);
    expect((await signUps).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  });

  it('finishes sign-ins that wait for a provider when told to stop', async () => {
    const application = await createApplication();
    const graph = await GraphDouble.start(new SystemClock());
    await addFacebook(database, application, 'facebook', graph, FACEBOOK_APP);
    const { server, api } = await start(TOWARDS_STAND_INS);
    const goOn = graph.pause();
    const signIns = Promise.all(
      Array.from({ length: 4 }, (_, i) => {
        const credential = { access_token: graph.userToken(FACEBOOK_APP.id, `person-${i}`) };
        return api.send('POST', '/v1/sessions', {
          as: application,
          body: { provider: 'facebook', credential },
        });
      }),
    );
    while (graph.requests.length < 4) await nextTurn();
    const ended = server.end();
    while (!server.log.some(({ msg }) => msg === 'stopping')) await nextTurn();
    goOn();
    expect((await signIns).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect((await ended).code).toBe(0);
    await graph.close();
  });

  it('writes the uses of sessions that are pending before it exits', async () => {
    const application = await createApplication();
    // The idle limit makes a touch due every 600 ms; the flush would come much later.
    const { server, api } = await start({ OSTIARY_SESSIONS__TOUCH_FLUSH_MILLISECONDS: '60000' });
    const { token, id } = await api.applicationSession(application);
    const open = await TestStores.open(kind, { database });
    const longAgo = Date.now() - 3_600_000;
    await open.transactions.run(() =>
      open.transactions.query('UPDATE sessions SET last_used_at = :longAgo WHERE id = :id', { longAgo, id }),
    );
    await api.get('/v1/session', token);
    await server.end();
    const [row] = await open.transactions.query<{ last_used_at: number }>(
      'SELECT last_used_at FROM sessions WHERE id = :id',
      { id },
    );
    await open.close();
    expect(row!.last_used_at).toBeGreaterThan(longAgo);
  });

  it('loses no user, no session and no revocation when it is killed', async () => {
    const application = await createApplication();
    const { server, api } = await start();
    const kept = await api.user(application, 'alice');
    const ended = await api.signIn(application, { login: 'alice' });
    await api.send('DELETE', '/v1/session', { as: ended.session.token });
    await server.end('SIGKILL');
    const { api: restarted } = await start();
    expect((await restarted.get('/v1/users/me', kept.session.token)).body).toMatchObject({
      user: { login: 'alice' },
    });
    expect((await restarted.get('/v1/session', ended.session.token)).status).toBe(401);
  });

  it('sees what the command line changes within two seconds', async () => {
    const application = await createApplication();
    const { api } = await start();
    const { token } = await api.applicationSession(application);
    const guest = () =>
      api.send<Begun>('POST', '/v1/sessions', { as: application, body: { provider: 'guest' } });
    expect((await guest()).status).toBe(201);
    await ostiaryJson(database.env, 'apps', 'set', '--app', String(application.id), 'guests=off');
    await within(2000, async () => (await guest()).status === 403);
    const rotated = asApplication(
      await ostiaryJson(
        database.env,
        'apps',
        'rotate-secret',
        '--app',
        String(application.id),
        '--end-sessions',
      ),
    );
    await within(
      2000,
      async () => (await api.send('POST', '/v1/sessions', { as: application })).status === 401,
    );
    await within(2000, async () => (await api.get('/v1/session', token)).status === 401);
    expect((await api.send<{ session: SessionBody }>('POST', '/v1/sessions', { as: rotated })).status).toBe(
      201,
    );
  });
});

/** Holds a stated bound: asks until it is so, and fails when that takes longer. */
async function within(milliseconds: number, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${milliseconds} ms`);
  }
}

describe('a server that cannot start', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ostiary-start-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** One clear sentence on stderr, nothing on stdout, exit status 1. */
  const expectSentence = async (
    sentence: RegExp,
    env: Record<string, string>,
    wrap: readonly string[] = [],
  ) => {
    const { code, stdout, stderr } = await runServer({ DATA_DIR: folder, ...env }, wrap);
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(sentence),
    });
    expect(stderr).not.toMatch(/\n\s+at /);
  };

  it('says that the data folder cannot be written', async () => {
    execFileSync('chmod', ['555', folder]);
    // Root may write everywhere unless it gives that up.
    const wrap = process.getuid?.() === 0 ? ['setpriv', '--bounding-set', '-dac_override'] : [];
    await expectSentence(/^The data folder cannot be written.*DATA_DIR/, {}, wrap);
    await expectSentence(
      /^The data folder cannot be written.*DATA_DIR/,
      { DATA_DIR: join(folder, 'deeper') },
      wrap,
    );
    execFileSync('chmod', ['755', folder]);
    // After a kill the write-ahead log is still there, and SQLite opens such a database although it may not write.
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const server = await ServerProcess.start({ DATA_DIR: folder });
      await server.end(signal);
      execFileSync('sh', ['-c', `chmod 555 "${folder}" && chmod 444 "${folder}"/ostiary.db*`]);
      await expectSentence(/^The data folder cannot be written.*DATA_DIR/, {}, wrap);
      execFileSync('sh', ['-c', `chmod 755 "${folder}" && chmod 644 "${folder}"/ostiary.db*`]);
    }
  });

  it('says that a newer version has upgraded the database', async () => {
    const env = { DATA_DIR: folder };
    const open = await TestStores.open('sqlite', {
      database: { kind: 'sqlite', dataDir: folder, env, remove: () => Promise.resolve() },
    });
    await open.transactions.run(() =>
      open.transactions.query(
        `INSERT INTO schema_migrations (timestamp, name) VALUES (9999999999999, 'ContractLater')`,
      ),
    );
    await open.close();
    await expectSentence(/^The database has been upgraded by a newer version of Ostiary/, env);
  });

  it('says that the master key is another one', async () => {
    await (await ServerProcess.start({ DATA_DIR: folder })).end();
    writeFileSync(join(folder, 'master.key'), `${Buffer.alloc(32, 9).toString('base64')}\n`);
    await expectSentence(/^The master key .* is not the one/, {});
  });

  it('says that a file is no database', async () => {
    writeFileSync(
      join(folder, 'ostiary.db'),
      'this is a text of some length, and not a database at all'.repeat(20),
    );
    await expectSentence(/^The database file is damaged/, {});
  });

  it('says that the database server is not there', async () => {
    const env = {
      DATABASE_URL: 'postgres://u:hidden@127.0.0.1:1/x',
      MASTER_KEY: Buffer.alloc(32).toString('base64'),
    };
    await expectSentence(/^The database cannot be reached(?!.*hidden)/, env);
  });

  it('says that the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    await expectSentence(/^The port is taken/, { PORT: String((other.address() as AddressInfo).port) });
    await new Promise((resolve) => other.close(resolve));
  });

  it('names all faults of the configuration', async () => {
    await expectSentence(/2 faults:\n {2}- server\.port: .*\n {2}- log\.level: /, {
      PORT: 'x',
      LOG_LEVEL: 'loud',
    });
  });

  it('says what is wrong with a master key of the wrong length', async () => {
    await expectSentence(/^MASTER_KEY: a master key has 32 bytes/, { MASTER_KEY: 'c2hvcnQ=' });
  });
});
