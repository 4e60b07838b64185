import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { AccountsService } from '../../src/accounts/accounts.service.js';
import { toIdentifier } from '../../src/accounts/identifiers.js';
import { Transactions } from '../../src/persistence/transactions.js';
import { PASSWORD, type Begun } from '../support/api-client.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

describeOnEachDatabase('passwords over time', (kind) => {
  let server: TestApp;
  let application: Application;
  beforeAll(async () => {
    server = await TestApp.start(kind);
    application = await server.createApplication();
  });
  afterAll(() => server.stop());

  const hashOf = async (login: string, app = server) =>
    (await app.app
      .get(AccountsService, { strict: false })
      .findCredentialBy(application.id, toIdentifier('login', login)))!.passwordHash!;

  it('renews a hash at the next sign-in when the parameters have changed, and ends no session for it', async () => {
    const { session } = await server.api.user(application, 'alice');
    const before = await hashOf('alice');
    const stronger = await TestApp.start(kind, {
      database: server.database,
      env: { OSTIARY_PASSWORDS__ITERATIONS: '3' },
    });
    await stronger.api.signIn(application, { login: 'alice' });
    const after = await hashOf('alice');
    expect([before.includes(',t=1,'), after.includes(',t=3,')]).toEqual([true, true]);
    await stronger.api.signIn(application, { login: 'alice' });
    expect(await hashOf('alice')).toBe(after);
    expect((await stronger.api.get('/v1/session', session.token)).status).toBe(200);
    await stronger.stop();
  });

  it('does not renew a hash for a wrong password', async () => {
    await server.api.signUp(application, { login: 'bob' });
    const before = await hashOf('bob');
    const stronger = await TestApp.start(kind, {
      database: server.database,
      env: { OSTIARY_PASSWORDS__ITERATIONS: '3' },
    });
    const body = { provider: 'password', credential: { login: 'bob', password: 'wrong password' } };
    expect((await stronger.api.send('POST', '/v1/sessions', { as: application, body })).status).toBe(401);
    expect(await hashOf('bob')).toBe(before);
    await stronger.stop();
  });

  /** A user as a partner's identity provider will leave them: signed in, and with no password. */
  const aPasswordlessSession = async (app: Application) => {
    const begun = await server.api.guest(app);
    const transactions = server.app.get(Transactions);
    await transactions.run(() =>
      transactions.query('UPDATE users SET guest = :no WHERE id = :id', {
        no: kind === 'postgres' ? false : 0,
        id: begun.user!.id,
      }),
    );
    return begun.session.token;
  };

  it('gives a user without one a first password after a fresh sign-in only', async () => {
    const token = await aPasswordlessSession(application);
    const put = (login: string) =>
      server.api.send<Begun>('PUT', '/v1/users/me/password', {
        as: token,
        body: { password: PASSWORD, login },
      });
    server.clock.advance({ minutes: 10, seconds: 1 });
    expect((await put('carol')).body).toMatchObject({ code: 'fresh_sign_in_required' });
    server.clock.advance({ seconds: -1 });
    expect((await put('carol')).body).toMatchObject({
      session: { provider: 'password' },
      user: { login: 'carol' },
    });
  });

  it('gives it at any time where the application says that a session is enough', async () => {
    const relaxed = await server.createApplication({ first_password: 'session' });
    const token = await aPasswordlessSession(relaxed);
    server.clock.advance({ days: 1 });
    const body = { password: PASSWORD, login: 'dave' };
    expect((await server.api.send('PUT', '/v1/users/me/password', { as: token, body })).status).toBe(200);
  });
});
