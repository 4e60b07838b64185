import argon2 from '@node-rs/argon2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD, type Answer } from '../support/api-client.js';
import { describeOnEachDatabase, type DatabaseKind } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

/** As `config/default.yaml` has them. */
const FAILURES_PER_USER = 10;
const FAILURES_PER_ADDRESS = 100;
const PAUSE_SECONDS = 60;
const WINDOW_MINUTES = 10;

describeOnEachDatabase('guesses at passwords', (kind) => {
  const context = startedWith(kind, { TRUSTED_PROXIES: '127.0.0.1' });

  it('U-16 are stopped when one address tries one password on many users', async () => {
    const { server, signIn } = context();
    const statuses: number[] = [];
    for (let i = 0; i < 200; i += 1) {
      statuses.push((await signIn({ login: `user-${i}`, password: 'Summer2026' }, '192.0.2.1')).status);
    }
    expect(statuses.slice(0, FAILURES_PER_ADDRESS)).toEqual(new Array(FAILURES_PER_ADDRESS).fill(401));
    expect(statuses.slice(FAILURES_PER_ADDRESS)).toEqual(new Array(200 - FAILURES_PER_ADDRESS).fill(429));
    // Elsewhere nobody notices, and the window ends.
    expect((await signIn({ login: 'user-1', password: 'wrong' }, '192.0.2.2')).status).toBe(401);
    server.clock.advance({ minutes: WINDOW_MINUTES });
    expect((await signIn({ login: 'user-1', password: 'wrong' }, '192.0.2.1')).status).toBe(401);
  });

  it('U-16 are stopped when they are tried all at the same instant', async () => {
    const { signIn } = context();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => signIn({ login: 'alice', password: `guess ${i}` }, `10.1.0.${i}`)),
    );
    const judged = answers.filter(({ status }) => status === 401);
    expect(judged.length).toBeLessThanOrEqual(FAILURES_PER_USER);
    expect(judged.length + answers.filter(({ status }) => status === 429).length).toBe(50);
  });

  it('U-16 are stopped when many addresses try one user, who is kept out for one pause and no longer', async () => {
    const { server, signIn } = context();
    const statuses: number[] = [];
    for (let i = 0; i < 200; i += 1) {
      const address = `10.0.0.${i}`;
      statuses.push((await signIn({ login: 'alice', password: `guess ${i}` }, address)).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(FAILURES_PER_USER);

    const right = { login: 'alice', password: PASSWORD };
    const paused = await signIn(right, '192.0.2.1');
    expect(paused).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(Number(paused.headers.get('retry-after'))).toBe(PAUSE_SECONDS);
    expect((await signIn({ login: 'bob', password: PASSWORD }, '192.0.2.1')).status).toBe(201);
    server.clock.advance({ seconds: PAUSE_SECONDS });
    expect((await signIn(right, '192.0.2.1')).status).toBe(201);
  });

  it('U-16 cost a pause each once the limit is reached, and the owner still gets in after one', async () => {
    const { server, signIn } = context();
    const right = { login: 'alice', password: PASSWORD };
    for (let i = 0; i < FAILURES_PER_USER; i += 1)
      await signIn({ login: 'alice', password: 'wrong' }, '10.0.0.1');
    for (let i = 0; i < 5; i += 1) {
      server.clock.advance({ seconds: PAUSE_SECONDS });
      expect((await signIn({ login: 'alice', password: 'wrong' }, `10.0.0.${i}`)).status).toBe(401);
      const answer = await signIn(right, '192.0.2.1');
      expect(answer.status).toBe(429);
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(PAUSE_SECONDS);
    }
    server.clock.advance({ seconds: PAUSE_SECONDS });
    expect((await signIn(right, '192.0.2.1')).status).toBe(201);
  });

  it('U-17 are counted once for all ways in: by login, e-mail and phone, on every route that takes a password', async () => {
    const { server, application, signIn, alice } = context();
    const { api } = server;
    const { session } = await api.signIn(application, { login: 'alice' });
    const { token } = await api.applicationSession(application);
    const names = [
      { login: alice.login },
      { login: 'ALICE' },
      { email: alice.email },
      { phone: alice.phone },
    ];
    const ways: (() => Promise<Answer>)[] = [
      ...names.map((name) => () => signIn({ ...name, password: 'wrong' }, '10.0.0.1')),
      ...names.map(
        (name) => () =>
          api.send('PUT', '/v1/session/user', {
            as: token,
            body: { provider: 'password', credential: { ...name, password: 'wrong' } },
          }),
      ),
      () =>
        api.send('PUT', '/v1/users/me/password', {
          as: session.token,
          body: { old_password: 'wrong', password: 'another battery staple' },
        }),
      () => signIn({ phone: '(+1) 555-0100', password: 'wrong' }, '10.0.0.2'),
    ];
    expect(ways).toHaveLength(FAILURES_PER_USER);
    const first: number[] = [];
    for (const way of ways) first.push((await way()).status);
    expect(first).toEqual(ways.map(() => 401));
    const then: number[] = [];
    for (const way of ways) then.push((await way()).status);
    expect(then).toEqual(ways.map(() => 429));
  });

  it('U-17 are not forgotten on another session, and are not counted against the same name in another application', async () => {
    const { server, application, signIn } = context();
    for (let i = 0; i < FAILURES_PER_USER; i += 1)
      await signIn({ login: 'alice', password: 'wrong' }, '10.0.0.1');
    const { token } = await server.api.applicationSession(application);
    const body = { provider: 'password', credential: { login: 'alice', password: PASSWORD } };
    expect((await server.api.send('PUT', '/v1/session/user', { as: token, body })).status).toBe(429);
    // The same name elsewhere is somebody else.
    const other = await server.createApplication();
    await server.api.signUp(other, { login: 'alice' });
    expect((await server.api.send('POST', '/v1/sessions', { as: other, body })).status).toBe(201);
  });
});

describeOnEachDatabase('the address that tries are counted by', (kind) => {
  const LIMIT = 5;
  const env = { OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: String(LIMIT) };

  /** Tries from so many X-Forwarded-For headers, each on a user of its own; tells how many were judged. */
  async function judged(
    { signIn }: Context,
    forwardedFor: (i: number) => string,
    tries = LIMIT + 3,
  ): Promise<number> {
    const statuses: number[] = [];
    for (let i = 0; i < tries; i += 1) {
      statuses.push((await signIn({ login: `user-${i}`, password: 'wrong' }, forwardedFor(i))).status);
    }
    expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([]);
    return statuses.filter((status) => status === 401).length;
  }

  describe('without a trusted proxy', () => {
    const context = startedWith(kind, env);

    it('U-18 is not taken from X-Forwarded-For', async () => {
      expect(await judged(context(), (i) => `203.0.113.${i}`)).toBe(LIMIT);
      expect(context().server.log).not.toContain('203.0.113.');
    });

    it.each(['forwarded', 'x-real-ip', 'x-client-ip', 'cf-connecting-ip', 'true-client-ip'])(
      'U-18 is not taken from %s',
      async (header) => {
        const { server, application } = context();
        const statuses: number[] = [];
        for (let i = 0; i < LIMIT + 3; i += 1) {
          const credential = { login: `user-${i}`, password: 'wrong' };
          const headers = { [header]: header === 'forwarded' ? `for=203.0.113.${i}` : `203.0.113.${i}` };
          const body = { provider: 'password', credential };
          const sent = { as: application, body, headers };
          statuses.push((await server.api.send('POST', '/v1/sessions', sent)).status);
        }
        expect(statuses.filter((status) => status === 401)).toHaveLength(LIMIT);
      },
    );
  });

  describe('behind a trusted proxy', () => {
    const context = startedWith(kind, { ...env, TRUSTED_PROXIES: '127.0.0.1' });

    it('U-18 is the one that the proxy names', async () => {
      expect(await judged(context(), (i) => `203.0.113.${i}`)).toBe(LIMIT + 3);
      expect(context().server.log).toContain('"address":"203.0.113.1"');
    });

    it('U-18 is not the one that the client told the proxy', async () => {
      const { server } = context();
      const loggedBefore = server.log.length;
      expect(await judged(context(), (i) => `203.0.113.${i}, 198.51.100.7`)).toBe(LIMIT);
      expect(server.log.slice(loggedBefore)).not.toContain('203.0.113.');
    });

    it('U-18 is one for all of an IPv6 network that one party has to itself', async () => {
      expect(await judged(context(), (i) => `2001:db8:1:2:${i}::1`)).toBe(LIMIT);
      expect(await judged(context(), (i) => `2001:db8:1:${i + 3}::1`)).toBe(LIMIT + 3);
    });

    it('U-18 is the same from each port, where the proxy adds one', async () => {
      expect(await judged(context(), (i) => `203.0.113.1:${50_000 + i}`)).toBe(LIMIT);
    });

    it('U-18 is not whatever text the header holds, however long', async () => {
      const texts = (i: number) => `${'x'.repeat(500)}${i}`;
      expect(await judged(context(), texts)).toBe(LIMIT);
    });
  });

  describe('behind a proxy that is not the trusted one', () => {
    const context = startedWith(kind, { ...env, TRUSTED_PROXIES: '192.0.2.0/24' });

    it('U-18 is not taken from X-Forwarded-For', async () => {
      expect(await judged(context(), (i) => `203.0.113.${i}`)).toBe(LIMIT);
    });
  });
});

describeOnEachDatabase('a storm of sign-ins', (kind) => {
  const context = startedWith(kind, {
    OSTIARY_PASSWORDS__POOL_SIZE: '1',
    OSTIARY_PASSWORDS__QUEUE_LIMIT: '3',
    OSTIARY_THROTTLE__FAILURES_PER_ADDRESS: '10000',
  });
  let release: () => void;

  beforeEach(() => {
    const gate = new Promise<void>((resolve) => (release = resolve));
    // Holds the pool occupied for as long as a test wants to look.
    jest.spyOn(argon2, 'verify').mockImplementation(async () => {
      await gate;
      return false;
    });
  });
  afterEach(() => {
    release();
    jest.restoreAllMocks();
  });

  it('U-19 fills the pool and its queue and is told to come back beyond that, while all else is answered', async () => {
    const { server, application, signIn } = context();
    const { token } = await server.api.applicationSession(application);
    const answers: Answer[] = [];
    const storm = Array.from({ length: 500 }, (_, i) =>
      signIn({ login: `user-${i}`, password: 'wrong' }).then((answer) => answers.push(answer)),
    );
    await until(() => answers.length >= 496);

    expect(answers).toHaveLength(496);
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'busy' } });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(argon2.verify).toHaveBeenCalledTimes(1);
    expect((await server.api.get('/health/live')).status).toBe(200);
    expect((await server.api.get('/health/ready')).status).toBe(200);
    expect((await server.api.get('/v1/session', token)).status).toBe(200);
    expect((await server.api.get('/v1/session', 'osta_unknown')).status).toBe(401);

    release();
    await Promise.all(storm);
    expect(answers.slice(496).map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(argon2.verify).toHaveBeenCalledTimes(4);
  });

  it('U-19 leaves nothing occupied once it is over', async () => {
    const { server, application, signIn } = context();
    const storm = Array.from({ length: 20 }, (_, i) => signIn({ login: `user-${i}`, password: 'wrong' }));
    release();
    await Promise.all(storm);
    jest.restoreAllMocks();
    const { session } = await server.api.signIn(application, { login: 'alice' });
    expect(session.kind).toBe('user');
  });

  it('U-19 counts as no failure what was not judged', async () => {
    const { signIn } = context();
    const { storm } = await occupied();
    for (let i = 0; i < FAILURES_PER_USER + 2; i += 1) {
      expect((await signIn({ login: 'alice', password: 'wrong' })).status).toBe(503);
    }
    release();
    await Promise.all(storm);
    jest.restoreAllMocks();
    expect((await signIn({ login: 'alice', password: PASSWORD })).status).toBe(201);
  });

  it('U-19 bounds sign-ups and password changes by the same pool', async () => {
    const { server, application } = context();
    jest.mocked(argon2.verify).mockResolvedValueOnce(true);
    const { session } = await server.api.signIn(application, { login: 'alice' });
    const { storm } = await occupied();
    const signUp = { login: 'carol', password: PASSWORD };
    const change = { old_password: PASSWORD, password: 'another battery staple' };
    const answers = [
      await server.api.send('POST', '/v1/users', { as: application, body: signUp }),
      await server.api.send('PUT', '/v1/users/me/password', { as: session.token, body: change }),
    ];
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      [503, 'busy'],
      [503, 'busy'],
    ]);
    release();
    await Promise.all(storm);
  });

  /** Fills the pool and its queue: the first that is turned away shows that both are full. */
  async function occupied(): Promise<{ storm: readonly Promise<Answer>[] }> {
    const { signIn } = context();
    const storm = Array.from({ length: 10 }, (_, i) => signIn({ login: `user-${i}`, password: 'wrong' }));
    expect((await Promise.race(storm)).status).toBe(503);
    return { storm };
  }
});

describeOnEachDatabase('guests', (kind) => {
  const LIMIT = 5;
  const context = startedWith(kind, { OSTIARY_THROTTLE__GUESTS_PER_ADDRESS: String(LIMIT) });

  it('U-24 cannot be signed in as with a password, whatever name is given', async () => {
    const { server, application, signIn } = context();
    const { user } = await server.api.guest(application);
    for (const login of [String(user!.id), `guest-${user!.id}`, 'guest', '', 'null']) {
      for (const password of ['', 'null', PASSWORD]) {
        expect((await signIn({ login, password })).status).toBe(401);
      }
    }
  });

  it('U-24 take an e-mail address only with a first password, and as one that nobody verified', async () => {
    const { server, application } = context();
    const { api } = server;
    for (const credential of [
      { email: 'victim@example.com' },
      { email: 'v@example.com', email_verified: true },
    ]) {
      const body = { provider: 'guest', credential };
      expect((await api.send('POST', '/v1/sessions', { as: application, body })).status).toBe(422);
    }
    const { session } = await api.guest(application);
    const change = { password: PASSWORD, email: 'victim@example.com' };
    const { body } = await api.send('PUT', '/v1/users/me/password', { as: session.token, body: change });
    expect(body).toMatchObject({
      user: { email: 'victim@example.com', email_verified: false, guest: false },
    });
  });

  it('U-24 cannot take a name that somebody has', async () => {
    const { server, application, alice } = context();
    const { session } = await server.api.guest(application);
    for (const name of [{ login: 'ALICE' }, { email: alice.email }, { phone: alice.phone }]) {
      const answer = await server.api.send('PUT', '/v1/users/me/password', {
        as: session.token,
        body: { password: 'another battery staple', ...name },
      });
      expect(answer).toMatchObject({ status: 409, body: { code: 'identifier_taken' } });
    }
    expect((await server.api.get('/v1/users/me', session.token)).body).toMatchObject({
      user: { guest: true, login: null, email: null },
    });
  });

  it('U-24 are limited by address, on sessions of the application and for public clients alike', async () => {
    const { server } = context();
    const application = await server.createApplication({ public_clients: true });
    const named = { application_id: application.id, auth_key: application.authKey, provider: 'guest' };
    const statuses: number[] = [];
    for (let i = 0; i < LIMIT + 3; i += 1) {
      const { token } = await server.api.applicationSession(application);
      const { status } =
        i % 2 === 0
          ? await server.api.send('POST', '/v1/sessions', { body: named })
          : await server.api.send('PUT', '/v1/session/user', { as: token, body: { provider: 'guest' } });
      statuses.push(status < 400 ? 200 : status);
    }
    expect(statuses).toEqual([...new Array<number>(LIMIT).fill(200), 429, 429, 429]);
  });

  it('U-24 are refused where the application takes none', async () => {
    const { server } = context();
    const application = await server.createApplication({ guests: false });
    const { token } = await server.api.applicationSession(application);
    const body = { provider: 'guest' };
    for (const answer of [
      await server.api.send('POST', '/v1/sessions', { as: application, body }),
      await server.api.send('PUT', '/v1/session/user', { as: token, body }),
    ]) {
      expect(answer).toMatchObject({ status: 403, body: { code: 'guests_disabled' } });
    }
  });
});

interface Context {
  readonly server: TestApp;
  readonly application: Application;
  readonly alice: { readonly login: string; readonly email: string; readonly phone: string };
  /** A sign-in, through a proxy that names the address if one is given. */
  readonly signIn: (credential: object, forwardedFor?: string) => Promise<Answer>;
}

/** A server for the tests of the present block, with an application of its own for each, in which alice and bob are. */
function startedWith(kind: DatabaseKind, env: Readonly<Record<string, string>>): () => Context {
  const alice = { login: 'alice', email: 'alice@example.com', phone: '+15550100' };
  let server: TestApp;
  let application: Application;
  beforeAll(async () => {
    server = await TestApp.start(kind, { env });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    // Beyond every window, so that no test counts for the next.
    server.clock.advance({ days: 1 });
    application = await server.createApplication();
    await server.api.signUp(application, alice);
    await server.api.signUp(application, { login: 'bob' });
  });
  return () => ({
    server,
    application,
    alice,
    signIn: (credential, forwardedFor) =>
      server.api.send('POST', '/v1/sessions', {
        as: application,
        body: { provider: 'password', credential },
        ...(forwardedFor !== undefined && { headers: { 'x-forwarded-for': forwardedFor } }),
      }),
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
