import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD } from '../support/api-client.js';
import type { TestDatabase } from '../support/databases.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { TestApp } from '../support/test-app.js';

describe('a PostgreSQL that goes away', () => {
  let postgres: PostgresServer;
  let server: TestApp;
  let application: Application;

  beforeAll(async () => {
    postgres = await startPostgres();
    const database: TestDatabase = {
      kind: 'postgres',
      dataDir: '',
      env: {
        NODE_ENV: 'test',
        DATABASE_URL: postgres.url('postgres'),
        MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
        OSTIARY_DATABASE__WAIT_MILLISECONDS: '1000',
        OSTIARY_THROTTLE__FAILURES_PER_USER: '3',
      },
      remove: () => Promise.resolve(),
    };
    server = await TestApp.start('postgres', { database });
    application = await server.createApplication();
  });
  afterAll(async () => {
    await server.stop();
    await postgres.remove();
  });

  it('is answered with 503 and Retry-After on every route, and with service as before when it is back', async () => {
    const { session } = await server.api.user(application, 'alice');
    const all = () =>
      Promise.all([
        server.api.get('/v1/session', session.token),
        server.api.get('/v1/users/me', session.token),
        server.api.get('/v1/session', 'osta_unknown'),
        server.api.send('POST', '/v1/sessions', { as: application }),
        server.api.send('POST', '/v1/users', { as: application, body: { login: 'bob', password: PASSWORD } }),
      ]);
    await postgres.stop();
    // What is kept of applications runs out.
    server.clock.advance({ seconds: 3 });
    for (const { status, headers, body } of await all()) {
      expect([status, body['code']]).toEqual([503, 'store_unavailable']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await server.api.get('/health/ready')).status).toBe(503);
    expect((await server.api.get('/health/live')).status).toBe(200);
    expect(server.log).not.toContain(PASSWORD);

    await postgres.start();
    expect((await all()).map(({ status }) => status)).toEqual([200, 200, 401, 201, 201]);
    expect((await server.api.get('/health/ready')).status).toBe(200);
  });

  it('U-31 makes no guess free: without its counters nobody is let try, and they are still there afterwards', async () => {
    await server.api.signUp(application, { login: 'carol' });
    const guess = async (password: string) => {
      const body = { provider: 'password', credential: { login: 'carol', password } };
      return (await server.api.send('POST', '/v1/sessions', { as: application, body })).status;
    };
    for (let i = 0; i < 3; i += 1) expect(await guess('wrong password')).toBe(401);
    expect(await guess(PASSWORD)).toBe(429);
    await postgres.stop();
    expect([await guess('wrong password'), await guess(PASSWORD)]).toEqual([503, 503]);
    await postgres.start();
    expect(await guess(PASSWORD)).toBe(429);
    server.clock.advance({ minutes: 2 });
    expect(await guess(PASSWORD)).toBe(201);
  });
});
