import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApiClient, PASSWORD } from '../support/api-client.js';
import { BlackHoleProxy } from '../support/black-hole-proxy.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { ostiaryJson, ServerProcess } from '../support/server-process.js';

/** Each test starts several processes; on a busy machine each takes seconds. */
jest.setTimeout(120_000);

/** What is stated: so long after a revocation was answered, no process accepts the token. */
const BOUND_MILLISECONDS = 2000;

interface CreatedApplication {
  application_id: number;
  auth_key: string;
  auth_secret: string;
}

/** A token that works until it is revoked, and how that is done at a process. */
interface Revocation {
  readonly what: string;
  readonly token: string;
  readonly revoke: (at: ApiClient) => Promise<unknown>;
}

describeOnEachDatabase('several processes on one database', (kind) => {
  let database: TestDatabase;
  let application: Application;
  let proxy: BlackHoleProxy | undefined;
  const running: ServerProcess[] = [];

  beforeEach(async () => {
    database = await createDatabase(kind);
    application = await createApplication();
  });
  afterEach(async () => {
    for (const { pid } of running) process.kill(pid, 'SIGCONT');
    await Promise.all(running.splice(0).map((server) => server.end('SIGKILL')));
    await proxy?.stop();
    proxy = undefined;
    await database.remove();
  });

  const start = async (env: Record<string, string> = {}) => {
    const server = await ServerProcess.start({ ...database.env, ...env });
    running.push(server);
    return { server, api: new ApiClient(server.url) };
  };
  /** A process that hears no bell: over a connection that stays open, or, on SQLite, by not looking for one. */
  const startDeaf = async () => {
    if (kind === 'sqlite') return start({ OSTIARY_DATABASE__DOORBELL: 'false' });
    proxy = await BlackHoleProxy.start(database.env['DATABASE_URL']!);
    const started = await start({ DATABASE_URL: proxy.url });
    proxy.swallow('doorbell');
    return started;
  };
  const createApplication = async () => {
    const created = await ostiaryJson<CreatedApplication>(database.env, 'apps', 'create', '--name', 'Test');
    return {
      id: created.application_id,
      authKey: created.auth_key,
      authSecret: created.auth_secret,
    } as Application;
  };
  const administer = (...args: string[]) => ostiaryJson(database.env, ...args);

  /** One of each way in which a token becomes worthless. */
  const revocations = async (api: ApiClient): Promise<Revocation[]> => {
    const session = async (login: string) => (await api.user(application, login)).session;
    const another = async (login: string) => (await api.signIn(application, { login })).session;
    const [ended, upgraded, downgraded] = [
      await session('ended'),
      await session('upgraded'),
      await session('left'),
    ];
    const [remote, remoteOther] = [await session('remote'), await another('remote')];
    const [changed, changedOther] = [await session('changed'), await another('changed')];
    const disabled = await session('disabled');
    const otherApplication = await createApplication();
    const mass = await api.applicationSession(otherApplication);
    return [
      {
        what: 'a session ended',
        token: ended.token,
        revoke: (at) => at.send('DELETE', '/v1/session', { as: ended.token }),
      },
      {
        what: 'a session given another token by a sign-in',
        token: upgraded.token,
        revoke: (at) =>
          at.send('PUT', '/v1/session/user', {
            as: upgraded.token,
            body: { provider: 'password', credential: { login: 'upgraded', password: PASSWORD } },
          }),
      },
      {
        what: 'a session that was signed out',
        token: downgraded.token,
        revoke: (at) => at.send('DELETE', '/v1/session/user', { as: downgraded.token }),
      },
      {
        what: 'a session ended by another one of its user',
        token: remote.token,
        revoke: (at) => at.send('DELETE', '/v1/users/me/sessions', { as: remoteOther.token }),
      },
      {
        what: 'a session of a user whose password was changed',
        token: changed.token,
        revoke: (at) =>
          at.send('PUT', '/v1/users/me/password', {
            as: changedOther.token,
            body: { old_password: PASSWORD, password: 'another horse battery staple' },
          }),
      },
      {
        what: 'a session of a user who was disabled',
        token: disabled.token,
        revoke: () =>
          administer('users', 'disable', '--app', String(application.id), '--user', String(disabled.user_id)),
      },
      {
        what: 'a session of an application that ended all of them',
        token: mass.token,
        revoke: () =>
          administer('apps', 'rotate-secret', '--app', String(otherApplication.id), '--end-sessions'),
      },
    ];
  };
  const status = async (api: ApiClient, token: string) => (await api.get('/v1/session', token)).status;
  /** Asks again and again for as long as the answer is yes. @returns how long that was, in milliseconds. */
  const acceptedFor = async (api: ApiClient, token: string): Promise<number> => {
    const from = performance.now();
    while ((await status(api, token)) === 200 && performance.now() - from < 2 * BOUND_MILLISECONDS);
    return performance.now() - from;
  };

  it.each([
    ['S-07 refuse within two seconds what another one revoked', start],
    ['S-07 do so with the doorbell black-holed: the connection is open, and nothing arrives', startDeaf],
  ])('%s', async (_, startSecond) => {
    const [{ api: first }, { api: second }] = [await start(), await startSecond()];
    for (const { what, token, revoke } of await revocations(first)) {
      expect([what, await status(second, token), await status(second, token)]).toEqual([what, 200, 200]);
      await revoke(first);
      // What the command line revokes, both have to hear of.
      const milliseconds = Math.max(
        ...(await Promise.all([first, second].map((api) => acceptedFor(api, token)))),
      );
      expect({ what, isInBound: milliseconds < BOUND_MILLISECONDS, milliseconds }).toMatchObject({
        isInBound: true,
      });
      expect([what, await status(second, token), await status(first, token)]).toEqual([what, 401, 401]);
    }
    if (proxy) expect(proxy.swallowed).toBeGreaterThan(0);
  });

  it('S-07 refuse at once after having been stopped and continued (SIGSTOP, SIGCONT)', async () => {
    const [{ api: first }, { api: second, server }] = [await start(), await start()];
    const all = await revocations(first);
    for (const { token } of all) expect(await status(second, token)).toBe(200);
    process.kill(server.pid, 'SIGSTOP');
    for (const { revoke } of all) await revoke(first);
    // What is waited for is the bound itself: from here on, no process may accept any of them.
    await delay(BOUND_MILLISECONDS);
    const asked = all.map(async ({ what, token }) => [what, await status(second, token)]);
    process.kill(server.pid, 'SIGCONT');
    expect(await Promise.all(asked)).toEqual(all.map(({ what }) => [what, 401]));
  });

  it('S-03 leave nobody the rights of a user who was signed out', async () => {
    const [{ api: first }, { api: second }] = [await start(), await start()];
    const { session } = await first.user(application, 'alice');
    expect((await second.get('/v1/users/me', session.token)).status).toBe(200);
    const { body } = await first.send<{ session: { token: string } }>('DELETE', '/v1/session/user', {
      as: session.token,
    });
    const from = performance.now();
    while ((await second.get('/v1/users/me', session.token)).status === 200);
    expect(performance.now() - from).toBeLessThan(BOUND_MILLISECONDS);
    for (const api of [first, second]) {
      const answers = [
        await api.get('/v1/users/me', body.session.token),
        await api.get('/v1/users/me', session.token),
      ];
      expect(answers.map(({ body: { code } }) => code)).toEqual(['user_session_required', 'session_ended']);
      expect(await status(api, body.session.token)).toBe(200);
    }
  });

  it('S-08 still refuse it when all of them were killed and started again', async () => {
    const [{ api: first }, { api: second }] = [await start(), await start()];
    const all = await revocations(first);
    for (const { token } of all) expect(await status(second, token)).toBe(200);
    for (const { revoke } of all) await revoke(first);
    await Promise.all(running.splice(0).map((server) => server.end('SIGKILL')));
    for (const { api } of [await start(), await start()]) {
      for (const { what, token } of all) expect([what, await status(api, token)]).toEqual([what, 401]);
    }
  });

  it('S-09 never bring back what is being read while it is revoked', async () => {
    const [{ api: first }, { api: second }] = [await start(), await start()];
    for (let round = 0; round < 10; round += 1) {
      const { token } = (await first.guest(application)).session;
      let isOver = false;
      const askers = Array.from({ length: 8 }, async (_, i) => {
        while (!isOver) await status(i % 2 ? first : second, token);
      });
      await first.send('DELETE', '/v1/session', { as: token });
      // The process that ended it knows at once.
      expect(await status(first, token)).toBe(401);
      expect(await acceptedFor(second, token)).toBeLessThan(BOUND_MILLISECONDS);
      expect([await status(first, token), await status(second, token)]).toEqual([401, 401]);
      isOver = true;
      await Promise.all(askers);
    }
  });

  it('keep a session alive that is used at one of them alone', async () => {
    const [{ api: first }, { api: second }] = [await start(), await start()];
    await administer('apps', 'set', '--app', String(application.id), 'session_idle_seconds=2');
    const begun = performance.now();
    let { token } = await first.applicationSession(application);
    // The setting is followed within two seconds; a session begun before that has the former limit.
    while (performance.now() - begun < BOUND_MILLISECONDS)
      ({ token } = await first.applicationSession(application));
    expect(await status(second, token)).toBe(200);
    const from = performance.now();
    while (performance.now() - from < 2500) expect(await status(first, token)).toBe(200);
    expect(await status(second, token)).toBe(200);
  });

  if (kind === 'sqlite') return;

  it('refuse when nothing at all arrives from the database any more, and serve again when it does', async () => {
    const { api: first } = await start();
    proxy = await BlackHoleProxy.start(database.env['DATABASE_URL']!);
    const { api: second } = await start({
      DATABASE_URL: proxy.url,
      OSTIARY_DATABASE__WAIT_MILLISECONDS: '1000',
      OSTIARY_DATABASE__STATEMENT_MILLISECONDS: '1000',
    });
    const { token } = await first.applicationSession(application);
    const { token: kept } = await first.applicationSession(application);
    expect([await status(second, token), await status(second, kept)]).toEqual([200, 200]);
    proxy.swallow('everything');
    await first.send('DELETE', '/v1/session', { as: token });
    expect(await acceptedFor(second, token)).toBeLessThan(2 * BOUND_MILLISECONDS);
    expect(await status(second, token)).toBe(503);
    proxy.swallow('none');
    while ((await status(second, kept)) !== 200);
    expect(await status(second, token)).toBe(401);
  });
});
