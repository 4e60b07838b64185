import { execFileSync } from 'node:child_process';
import { afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, PASSWORD, type Begun } from '../support/api-client.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { unpackPreviousVersion } from '../support/previous-version.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

const BOUND_MILLISECONDS = 2000;

describeOnEachDatabase('an upgrade beside the version before it', (kind) => {
  let previousFolder: string;
  let database: TestDatabase;
  let application: Application;
  let previous: ServerProcess;
  let old: ApiClient;
  const running: ServerProcess[] = [];

  beforeAll(() => {
    previousFolder = unpackPreviousVersion();
  });
  beforeEach(async () => {
    database = await createDatabase(kind);
    previous = await startPrevious();
    old = new ApiClient(previous.url);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.end('SIGKILL')));
    await database.remove();
  });

  const startPrevious = async () => {
    const server = await ServerProcess.start(database.env, { folder: previousFolder });
    running.push(server);
    return server;
  };
  const startPresent = async () => {
    const server = await ServerProcess.start(database.env);
    running.push(server);
    return new ApiClient(server.url);
  };
  /** By the version before, so that nothing is migrated yet. */
  const createApplication = () => {
    const command = ['dist/cli.js', 'apps', 'create', '--name', 'Test', '--json'];
    const { PATH = '' } = process.env;
    const options = { cwd: previousFolder, env: { PATH, ...database.env } };
    const created = JSON.parse(execFileSync(process.execPath, command, options).toString()) as {
      application_id: number;
      auth_key: string;
      auth_secret: string;
    };
    const { application_id: id, auth_key: authKey, auth_secret: authSecret } = created;
    application = { id, authKey, authSecret } as Application;
  };
  const status = async (api: ApiClient, token: string) => (await api.get('/v1/session', token)).status;

  it('leaves that one serving, while the new one starts and after', async () => {
    createApplication();
    let hasStarted = false;
    const served: number[] = [];
    const serving = (async () => {
      for (let i = 0; !hasStarted || i < 20; i += 1) {
        const body = { login: `user-${i}`, password: PASSWORD };
        served.push((await old.send('POST', '/v1/users', { as: application, body })).status);
        const begun = await old.signIn(application, { login: `user-${i}` });
        served.push(await status(old, begun.session.token));
      }
    })();
    const present = await startPresent();
    hasStarted = true;
    await serving;
    expect(new Set(served)).toEqual(new Set([200, 201]));

    const atOld = await old.signIn(application, { login: 'user-0' });
    const atNew = await present.signIn(application, { login: 'user-1' });
    expect([await status(present, atOld.session.token), await status(old, atNew.session.token)]).toEqual([
      200, 200,
    ]);
    const { code } = await previous.end();
    expect(code).toBe(0);
    expect([await status(present, atOld.session.token), await status(present, atNew.session.token)]).toEqual([
      200, 200,
    ]);
  });

  it('refuses at the new one what the old one revoked, though that one knows of no log', async () => {
    createApplication();
    const present = await startPresent();
    await old.signUp(application, { login: 'alice' });
    const revoke: ((token: string) => Promise<unknown>)[] = [
      (token) => old.send('DELETE', '/v1/session', { as: token }),
      (token) => old.send('DELETE', '/v1/session/user', { as: token }),
      async () => {
        const { session } = await old.signIn(application, { login: 'alice' });
        return old.send('DELETE', '/v1/users/me/sessions', { as: session.token });
      },
    ];
    for (const act of revoke) {
      const { session } = await present.signIn(application, { login: 'alice' });
      expect(await status(present, session.token)).toBe(200);
      await act(session.token);
      const from = performance.now();
      while ((await status(present, session.token)) === 200);
      expect(performance.now() - from).toBeLessThan(BOUND_MILLISECONDS);
    }
  });

  it('revives no session by a refresh that the old one has signed out', async () => {
    createApplication();
    const present = await startPresent();
    await ostiaryJson(database.env, 'apps', 'set', '--app', String(application.id), 'refresh_tokens=on');
    await old.signUp(application, { login: 'alice' });
    let begun: Begun;
    do begun = await present.signIn(application, { login: 'alice' });
    while (!begun.session.refresh_token);
    await old.send('DELETE', '/v1/session/user', { as: begun.session.token });
    expect((await present.refresh(begun.session.refresh_token)).status).toBe(401);
  });
});
