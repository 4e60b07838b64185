import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiary, ostiaryJson } from '../support/server-process.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

interface Shown {
  application_id: number;
  name: string;
  auth_key: string;
  auth_secret: string;
  settings: Record<string, unknown>;
}

describeOnEachDatabase('the command line', (kind) => {
  let database: TestDatabase;
  let created: Shown;
  beforeAll(async () => {
    database = await createDatabase(kind);
    created = await ostiaryJson<Shown>(database.env, 'apps', 'create', '--name', 'Demo');
  });
  afterAll(() => database.remove());
  const app = () => ['--app', String(created.application_id)];

  it('makes an application before any server has run, and prints its keys', () => {
    expect(Object.keys(created)).toEqual(['application_id', 'name', 'auth_key', 'auth_secret', 'settings']);
    expect(created).toMatchObject({ name: 'Demo', settings: { session_idle_seconds: 7200, guests: true } });
  });

  it('lists and shows, the secret only where it was asked for by application', async () => {
    const { items } = await ostiaryJson<{ items: Shown[] }>(database.env, 'apps', 'list');
    expect(items.map(({ application_id }) => application_id)).toContain(created.application_id);
    expect(JSON.stringify(items)).not.toContain(created.auth_secret);
    expect(await ostiaryJson<Shown>(database.env, 'apps', 'show', ...app())).toEqual(created);
  });

  it('changes settings, all or none', async () => {
    const set = await ostiaryJson<Shown>(
      database.env,
      'apps',
      'set',
      ...app(),
      'guests=off',
      'session_idle_seconds=60',
    );
    expect(set.settings).toMatchObject({ guests: false, session_idle_seconds: 60 });
    const refused = await ostiary(
      database.env,
      'apps',
      'set',
      ...app(),
      'guests=on',
      'gusts=on',
      'sign_up=maybe',
    );
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('gusts');
    expect(refused.stderr).toContain('sign_up');
    expect(refused.stdout).toBe('');
    const { settings } = await ostiaryJson<Shown>(database.env, 'apps', 'show', ...app());
    expect(settings).toMatchObject({ guests: false });
    const back = await ostiaryJson<Shown>(database.env, 'apps', 'set', ...app(), 'guests=default');
    expect(back.settings).toMatchObject({ guests: true });
  });

  it('warns on stderr and keeps stdout one document', async () => {
    const answer = await ostiary(
      database.env,
      'apps',
      'set',
      ...app(),
      'password_sign_in=local,partner',
      '--json',
    );
    expect(answer.stderr).toContain('handed to the partner');
    expect(JSON.parse(answer.stdout)).toMatchObject({ settings: { password_sign_in: 'local,partner' } });
  });

  it('gives a new secret', async () => {
    const rotated = await ostiaryJson<Shown>(database.env, 'apps', 'rotate-secret', ...app());
    expect(rotated.auth_secret).not.toBe(created.auth_secret);
    expect(rotated.auth_key).toBe(created.auth_key);
  });

  it('prints tables for people', async () => {
    const { stdout } = await ostiary(database.env, 'apps', 'list');
    expect(stdout).toMatch(/application_id +name +auth_key/);
    expect((await ostiary(database.env, 'apps', 'show', ...app())).stdout).toMatch(
      /session_idle_seconds +60/,
    );
  });

  it.each([
    [['apps', 'show', '--app', '99999'], /no application 99999/],
    [['apps', 'show', '--app', 'x'], /application_id/],
    [['apps', 'show'], /--app/],
    [['apps', 'create', '--name', ' '], /1 to 100/],
    [['apps', 'set', '--app', '1', 'guests'], /key=value/],
    [['apps', 'explode'], /unknown command/],
    [['explode'], /unknown command/],
  ])('%j fails with a sentence', async (args, sentence) => {
    const { code, stdout, stderr } = await ostiary(database.env, ...args);
    expect({ code: code === 0, stdout, stderr }).toEqual({
      code: false,
      stdout: '',
      stderr: expect.stringMatching(sentence),
    });
  });

  it('migrates once', async () => {
    expect(await ostiaryJson(database.env, 'migrate')).toEqual({ applied: [] });
  });

  if (kind === 'sqlite') {
    it('moves the secrets to a new key of its own', async () => {
      const before = await ostiaryJson<Shown>(database.env, 'apps', 'show', ...app());
      const report = await ostiaryJson<{ rewritten: number }>(database.env, 'secrets', 'rotate');
      expect(report.rewritten).toBeGreaterThanOrEqual(2);
      expect(await ostiaryJson<Shown>(database.env, 'apps', 'show', ...app())).toEqual(before);
    });
  } else {
    it('moves the secrets to the first key of MASTER_KEY, and says how where there is only one', async () => {
      const alone = await ostiary(database.env, 'secrets', 'rotate');
      expect([alone.code, /MASTER_KEY=<new>,<old>/.test(alone.stderr)]).toEqual([1, true]);
      const newKey = Buffer.alloc(32, 8).toString('base64');
      const both = { ...database.env, MASTER_KEY: `${newKey},${database.env['MASTER_KEY']}` };
      await ostiaryJson(both, 'secrets', 'rotate');
      const only = { ...database.env, MASTER_KEY: newKey };
      expect((await ostiaryJson<Shown>(only, 'apps', 'show', ...app())).name).toBe('Demo');
      expect((await ostiary(database.env, 'apps', 'list')).stderr).toMatch(/not the one/);
    });
  }
});

describe('config check', () => {
  it('prints what is in force without secrets', async () => {
    const env = {
      DATABASE_URL: 'postgres://u:hidden@localhost/x',
      MASTER_KEY: Buffer.alloc(32, 5).toString('base64'),
    };
    const { code, stdout } = await ostiary(env, 'config', 'check');
    expect(code).toBe(0);
    expect(stdout).toMatch(/server\.port +8080/);
    expect(stdout).not.toContain('hidden');
    expect(stdout).not.toContain(env.MASTER_KEY);
    expect(await ostiaryJson(env, 'config', 'check')).toMatchObject({ server: { port: 8080 } });
  });

  it('names every fault', async () => {
    const { code, stderr } = await ostiary({ PORT: 'x', LOG_LEVEL: 'loud' }, 'config', 'check');
    expect(code).toBe(1);
    expect(stderr).toMatch(/server\.port/);
    expect(stderr).toMatch(/log\.level/);
  });
});
