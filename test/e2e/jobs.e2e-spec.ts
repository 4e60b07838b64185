import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { JobRunner } from '../../src/jobs/job-runner.js';
import { SessionChecker } from '../../src/session/session-checker.js';
import { PASSWORD, type Begun } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiary, ostiaryJson, REPOSITORY } from '../support/server-process.js';
import { TestApp } from '../support/test-app.js';
import { TestStores } from '../support/test-stores.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

interface Turn {
  job: string;
  outcome: string;
  batches: number;
  rows: number;
}

interface Listed {
  name: string;
  every_seconds: number;
  last_outcome: string | null;
  rows: number;
  holder: string | null;
  next_run_at: string;
}

const ENDED = 12_000;

describeOnEachDatabase('jobs in processes of their own', (kind) => {
  let database: TestDatabase;
  let open: TestStores;
  const running: ChildProcess[] = [];

  beforeEach(async () => {
    database = await createDatabase(kind);
    open = await TestStores.open(kind, { database, waitMilliseconds: 300 });
  });
  afterEach(async () => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
    await open.close();
    await database.remove();
  });

  const sql = <Row>(statement: string, values = {}) =>
    open.transactions.run(async () => {
      if (kind === 'postgres') await open.transactions.query(`SET LOCAL lock_timeout = '300ms'`);
      return open.transactions.query<Row>(statement, values);
    });
  const lease = async () =>
    (
      await open.transactions.query<{ cursor: string | null; rows_done: number; holder: string | null }>(
        `SELECT cursor, rows_done, holder FROM job_leases WHERE name = 'purge-sessions'`,
      )
    )[0];
  const sessions = async () =>
    Number((await open.transactions.query<{ n: number }>('SELECT count(*) AS n FROM sessions'))[0]!.n);
  /** As the time that a lease runs for would do. */
  const letLeaseRunOut = () => sql('UPDATE job_leases SET lease_expires_at = 0 WHERE holder IS NOT NULL');
  const purge = () => ostiaryJson<{ items: Turn[] }>(database.env, 'jobs', 'run', '--job', 'purge-sessions');

  const endedSessions = async () => {
    const { application_id } = await ostiaryJson<{ application_id: number }>(
      database.env,
      'apps',
      'create',
      '--name',
      'Test',
    );
    await sql(
      `INSERT INTO sessions (application_id, kind, amr, token_hash, created_at, started_at, last_used_at, ended_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ENDED})
       SELECT ${application_id}, 'application', '[]', 'hash-' || i, 0, 0, 0, 1 FROM n`,
    );
  };
  /** Begins the purge in a process of its own, and resolves in the middle of it. */
  const purgeHalfDone = async () => {
    const child = spawn(process.execPath, ['dist/cli.js', 'jobs', 'run', '--job', 'purge-sessions'], {
      cwd: REPOSITORY,
      env: { PATH: process.env['PATH'], ...database.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    running.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }));
    while (((await lease())?.rows_done ?? 0) === 0) await delay(5);
    return { child, finished };
  };

  it('goes on where a process was that kill -9 ended in the middle', async () => {
    await endedSessions();
    const { child, finished } = await purgeHalfDone();
    child.kill('SIGKILL');
    await finished;
    const { cursor, holder } = (await lease())!;
    const left = await sessions();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(ENDED);
    expect([cursor, holder]).toEqual([expect.any(String), expect.stringContaining(`/${child.pid}/`)]);

    const refused = await ostiary(database.env, 'jobs', 'run', '--job', 'purge-sessions');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('another process is at it');

    await letLeaseRunOut();
    expect((await purge()).items).toMatchObject([{ outcome: 'done', rows: left }]);
    expect(await sessions()).toBe(0);
    expect(await lease()).toMatchObject({ cursor: null, holder: null, rows_done: ENDED });
  });

  it('lets a process that was stopped and continued write nothing once another one has taken over', async () => {
    await endedSessions();
    const { child, finished } = await purgeHalfDone();
    // Stopped within a batch, it would still hold the lock that keeps everybody else from the job.
    for (;;) {
      child.kill('SIGSTOP');
      try {
        await letLeaseRunOut();
        break;
      } catch {
        child.kill('SIGCONT');
        await delay(10);
      }
    }
    const left = await sessions();
    expect((await purge()).items).toMatchObject([{ outcome: 'done', rows: left }]);
    child.kill('SIGCONT');
    const { code, stderr } = await finished;
    expect(code).toBe(1);
    expect(stderr).toContain('another process has taken it over');
    expect(await lease()).toMatchObject({ cursor: null, holder: null, rows_done: ENDED });
  });

  it('lists the jobs, runs what is due, and then has nothing to do', async () => {
    const listed = await ostiaryJson<{ items: Listed[] }>(database.env, 'jobs', 'list');
    expect(listed.items.map(({ name }) => name)).toContain('purge-sessions');
    expect(listed.items[0]).toMatchObject({ last_outcome: null, rows: 0, holder: null });

    const run = await ostiaryJson<{ items: Turn[] }>(database.env, 'jobs', 'run');
    expect(run.items.map(({ job, outcome }) => `${job} ${outcome}`)).toEqual(
      listed.items.map(({ name }) => `${name} done`),
    );
    expect((await ostiary(database.env, 'jobs', 'run')).stdout).toBe('Nothing is due.\n');
    const people = await ostiary(database.env, 'jobs', 'list');
    expect(people.stdout).toMatch(/^purge-sessions +21600 s +\S+Z +done +0 +\S+Z +-$/m);
  });

  it('refuses a job that there is not, and says which there are', async () => {
    const refused = await ostiary(database.env, 'jobs', 'run', '--job', 'purge-all');
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain(
      'There is no job "purge-all". There are: end-lapsed-chats, purge-audit, purge-guests, ',
    );
  });
});

describeOnEachDatabase('jobs in the server', (kind) => {
  let server: TestApp;
  let rows: DatabaseRows;
  beforeEach(async () => {
    server = await TestApp.start(kind);
    rows = new DatabaseRows(server);
  });
  afterEach(() => server.stop());
  const runDue = () => server.app.get(JobRunner).runDue();
  /** They are written within a second, of which none passes here while the clock moves on by a day. */
  const writeUses = async () => {
    const { touches, activity } = server.app.get(SessionChecker, { strict: false });
    await touches.flush();
    await activity.flush();
  };

  it('does nothing by itself until it is started', async () => {
    expect(await rows.run('SELECT name FROM job_leases')).toEqual([]);
  });

  it('changes no answer to any token, whenever jobs run', async () => {
    const application = await server.createApplication({
      session_idle_seconds: 3 * 86_400,
      session_absolute_seconds: 9 * 86_400,
      guest_idle_days: 5,
    });
    const tokens: string[] = [];
    const begin = async () => {
      const name = `user-${tokens.length}`;
      tokens.push((await server.api.applicationSession(application)).token);
      tokens.push((await server.api.user(application, name)).session.token);
      tokens.push((await server.api.guest(application)).session.token);
    };
    const statuses = async () => {
      const answers: number[] = [];
      for (const token of tokens) answers.push((await server.api.get('/v1/session', token)).status);
      return answers;
    };
    for (let day = 0; day < 12; day += 1) {
      await begin();
      // Some are used again and again, and live on; the others are left to their limits.
      for (const token of tokens.filter((_, i) => i % 2 === 0)) await server.api.get('/v1/session', token);
      await writeUses();
      server.clock.advance({ hours: 25 });
      const before = tokens.length > 20 ? await statuses() : null;
      await writeUses();
      const turns = await runDue();
      expect(turns.map(({ outcome }) => outcome)).not.toContain('failed');
      if (before) expect(await statuses()).toEqual(before);
    }
    server.clock.advance({ days: 12 });
    await runDue();
    server.clock.advance({ days: 12 });
    await runDue();
    expect(await rows.count('sessions')).toBe(0);
    expect(await rows.run('SELECT id FROM users WHERE guest')).toEqual([]);
    expect(await rows.count('users')).toBe(12);
  });

  it('keeps a guest who was given a password', async () => {
    const application = await server.createApplication();
    const { session } = await server.api.guest(application);
    await server.api.send<Begun>('PUT', '/v1/users/me/password', {
      as: session.token,
      body: { login: 'alice', password: PASSWORD },
    });
    server.clock.advance({ days: 400 });
    await runDue();
    await server.api.signIn(application, { login: 'alice' });
  });

  it('gives leases back before the database is closed', async () => {
    await server.createApplication();
    const other = await TestApp.start(kind, {
      database: server.database,
      env: { OSTIARY_JOBS__REST_MILLISECONDS: '60000' },
    });
    const { id } = (await rows.run<{ id: number }>('SELECT id FROM applications'))[0]!;
    await rows.run(
      `INSERT INTO sessions (application_id, kind, amr, token_hash, created_at, started_at, last_used_at, ended_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
       SELECT ${id}, 'application', '[]', 'hash-' || i, 0, 0, 0, 1 FROM n`,
    );
    const working = other.app.get(JobRunner).runNow('purge-sessions');
    const held = () =>
      rows.run<{ rows_done: number }>('SELECT rows_done FROM job_leases WHERE holder IS NOT NULL');
    while (((await held())[0]?.rows_done ?? 0) === 0) await delay(5);
    const startedAt = performance.now();
    await other.stop();
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect((await working)!.outcome).toBe('interrupted');
    expect(await held()).toEqual([]);
    expect((await server.app.get(JobRunner).runNow('purge-sessions'))!.outcome).toBe('done');
    expect(await rows.count('sessions')).toBe(0);
  });
});
