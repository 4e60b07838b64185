import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import { touchStep } from '../../src/session/session.js';
import { SessionChecker } from '../../src/session/session-checker.js';
import { SessionService } from '../../src/session/session.service.js';
import { PASSWORD, type Begun, type SessionBody } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { createDatabase, describeOnEachDatabase, type TestDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

const IDLE = 7200;
/** Of two hours: one minute. A session ends so much after its idle limit, because uses within it are not recorded. */
const STEP = touchStep(IDLE);

async function fate(server: TestApp, token: string): Promise<unknown> {
  const { status, body } = await server.api.get('/v1/session', token);
  return status === 200 ? 'lives' : `${status} ${String(body['code'])}`;
}

describeOnEachDatabase('session limits', (kind) => {
  let server: TestApp;
  let application: Application;

  beforeAll(async () => {
    server = await TestApp.start(kind);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    application = await server.createApplication();
  });

  it.each([
    ['2 h - 1 s', IDLE * 1000 - 1000, 'lives'],
    ['2 h', IDLE * 1000, 'lives'],
    ['2 h and all but 1 ms of the margin', IDLE * 1000 + STEP - 1, 'lives'],
    ['2 h and the margin', IDLE * 1000 + STEP, '401 session_ended'],
    ['2 h and 10 minutes', IDLE * 1000 + 600_000, '401 session_ended'],
  ])('S-05 judges a session that was not used for %s', async (_, milliseconds, expected) => {
    const { token } = await server.api.applicationSession(application);
    server.clock.advance({ milliseconds });
    expect(await fate(server, token)).toBe(expected);
  });

  it.each([
    ['not recorded', STEP - 1],
    ['recorded', STEP],
    ['recorded late', 10 * STEP + 1],
  ])('S-05 never ends a session before two hours after a use that was %s', async (_, usedAt) => {
    const { token } = await server.api.applicationSession(application);
    server.clock.advance({ milliseconds: usedAt });
    expect(await fate(server, token)).toBe('lives');
    server.clock.advance({ milliseconds: IDLE * 1000 });
    expect(await fate(server, token)).toBe('lives');
    server.clock.advance({ milliseconds: IDLE * 1000 + STEP });
    expect(await fate(server, token)).toBe('401 session_ended');
  });

  it('S-05 says when it ends, and does not end before', async () => {
    const { token, expires_at } = await server.api.applicationSession(application);
    expect(Date.parse(expires_at!)).toBe(server.clock.now() + IDLE * 1000);
    server.clock.advance({ hours: 1 });
    const { body } = await server.api.get<{ session: SessionBody }>('/v1/session', token);
    expect(Date.parse(body.session.expires_at!)).toBe(server.clock.now() + IDLE * 1000);
  });

  describe('when the clock is set', () => {
    it('S-05 back by 10 minutes, loses no session and gives none more than these 10 minutes', async () => {
      const { token } = await server.api.applicationSession(application);
      server.clock.advance({ minutes: -10 });
      expect(await fate(server, token)).toBe('lives');
      server.clock.advance({ milliseconds: 600_000 + IDLE * 1000 + STEP });
      expect(await fate(server, token)).toBe('401 session_ended');
    });

    it('S-05 back by 10 minutes, goes on sliding the sessions that are used', async () => {
      const { token } = await server.api.applicationSession(application);
      server.clock.advance({ minutes: -10 });
      for (let i = 0; i < 4; i += 1) {
        server.clock.advance({ hours: 1, minutes: 59 });
        expect(await fate(server, token)).toBe('lives');
      }
    });

    it('S-05 forward by 10 minutes, takes no more than these 10 minutes', async () => {
      const { token } = await server.api.applicationSession(application);
      server.clock.advance({ milliseconds: 600_000 + (IDLE - 600) * 1000 });
      expect(await fate(server, token)).toBe('lives');
    });

    it('S-05 forward by 10 minutes and back again, loses no session', async () => {
      const { token } = await server.api.applicationSession(application);
      server.clock.advance({ minutes: 10 });
      expect(await fate(server, token)).toBe('lives');
      server.clock.advance({ minutes: -10 });
      expect(await fate(server, token)).toBe('lives');
      server.clock.advance({ seconds: IDLE });
      expect(await fate(server, token)).toBe('lives');
    });
  });

  it('S-06 ends a session that is used all the time at its absolute end, and not before', async () => {
    const capped = await server.createApplication({ session_absolute_seconds: 6 * 3600 });
    const { token, created_at } = await server.api.applicationSession(capped);
    const end = Date.parse(created_at) + 6 * 3_600_000;
    for (let i = 0; i < 5; i += 1) {
      server.clock.advance({ hours: 1 });
      expect(await fate(server, token)).toBe('lives');
    }
    const { body } = await server.api.get<{ session: SessionBody }>('/v1/session', token);
    expect(Date.parse(body.session.expires_at!)).toBe(end);
    server.clock.advance({ milliseconds: 3_599_999 });
    expect(await fate(server, token)).toBe('lives');
    server.clock.advance({ milliseconds: 1 });
    expect(await fate(server, token)).toBe('401 session_ended');
  });

  it('S-06 ends a session after 30 days where nothing else is set, however often it is used', async () => {
    const { token } = await server.api.applicationSession(application);
    for (let hours = 2; hours < 30 * 24; hours += 2) {
      server.clock.advance({ hours: 2 });
      expect(await fate(server, token)).toBe('lives');
    }
    server.clock.advance({ hours: 2 });
    expect(await fate(server, token)).toBe('401 session_ended');
  });

  it('S-06 keeps the absolute end when the user signs out and the session goes on', async () => {
    const capped = await server.createApplication({ session_absolute_seconds: 3 * 3600 });
    const { session } = await server.api.user(capped, 'alice');
    server.clock.advance({ hours: 1, minutes: 59 });
    const { body } = await server.api.send<Begun>('DELETE', '/v1/session/user', { as: session.token });
    server.clock.advance({ hours: 1 });
    expect(await fate(server, body.session.token)).toBe('lives');
    server.clock.advance({ minutes: 1 });
    expect(await fate(server, body.session.token)).toBe('401 session_ended');
  });

  it('S-06 holds an application that shortens its limit to it at once', async () => {
    const { token } = await server.api.applicationSession(application);
    server.clock.advance({ hours: 1 });
    expect(await fate(server, token)).toBe('lives');
    const applications = server.app.get(ApplicationsService, { strict: false });
    await applications.set(application.id, { session_absolute_seconds: 3600 });
    expect(await fate(server, token)).toBe('401 session_ended');
  });
});

describeOnEachDatabase('the slide of a session through a restart', (kind) => {
  /** Long enough that nothing is written unless a test asks for it. */
  const env = { OSTIARY_SESSIONS__TOUCH_FLUSH_MILLISECONDS: '60000' };
  let database: TestDatabase;
  let first: TestApp;
  let running: TestApp[];
  let token: string;

  beforeEach(async () => {
    database = await createDatabase(kind);
    first = await TestApp.start(kind, { database, env });
    running = [first];
    token = (await first.api.applicationSession(await first.createApplication())).token;
  });
  afterEach(async () => {
    for (const server of running) await server.stop();
    await database.remove();
  });

  async function restart(): Promise<TestApp> {
    const second = await TestApp.start(kind, { database, env });
    running.push(second);
    second.clock.advance({ milliseconds: first.clock.now() - second.clock.now() });
    return second;
  }

  async function stop(): Promise<void> {
    running = [];
    await first.stop();
  }

  async function useAfter(milliseconds: number): Promise<void> {
    first.clock.advance({ milliseconds });
    expect(await fate(first, token)).toBe('lives');
  }

  it('S-05 loses nothing when the process is stopped', async () => {
    await useAfter(2 * STEP);
    await stop();
    const next = await restart();
    next.clock.advance({ milliseconds: IDLE * 1000 + STEP - 1 });
    expect(await fate(next, token)).toBe('lives');
  });

  it('S-05 ends where it would have ended without the restart', async () => {
    await useAfter(2 * STEP);
    await stop();
    const next = await restart();
    next.clock.advance({ milliseconds: IDLE * 1000 + STEP });
    expect(await fate(next, token)).toBe('401 session_ended');
  });

  it('leaves a session over that was ended before', async () => {
    expect((await first.api.send('DELETE', '/v1/session', { as: token })).status).toBe(204);
    // Killed: whatever the process had in mind is lost.
    const next = await restart();
    expect(await fate(next, token)).toBe('401 session_ended');
  });

  it('S-05 loses at most one step when the process is killed', async () => {
    await useAfter(STEP);
    await first.app.get(SessionChecker, { strict: false }).touches.flush();
    // The last use, which nothing has recorded, nor will.
    await useAfter(STEP - 1);
    const next = await restart();
    next.clock.advance({ milliseconds: IDLE * 1000 });
    expect(await fate(next, token)).toBe('lives');
  });
});

describeOnEachDatabase('the end of sessions', (kind) => {
  let server: TestApp;
  let rows: DatabaseRows;
  let application: Application;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    rows = new DatabaseRows(server);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    application = await server.createApplication();
  });

  const fates = (...tokens: string[]) => Promise.all(tokens.map((token) => fate(server, token)));
  const LIVES = 'lives';
  const ENDED = '401 session_ended';

  it('S-10 comes with a new password to every other session of the user, and to the token that changed it', async () => {
    const { api } = server;
    const { session: here } = await api.user(application, 'alice');
    const there = (await api.signIn(application, { login: 'alice' })).session;
    const bobs = (await api.user(application, 'bob')).session;
    expect(await fates(here.token, there.token, bobs.token)).toEqual([LIVES, LIVES, LIVES]);
    const { status, body } = await api.send<Begun>('PUT', '/v1/users/me/password', {
      as: here.token,
      body: { old_password: PASSWORD, password: 'another battery staple' },
    });
    expect(status).toBe(200);
    const tokens = [body.session.token, here.token, there.token, bobs.token];
    expect(await fates(...tokens)).toEqual([LIVES, ENDED, ENDED, LIVES]);
  });

  it('S-10 reaches sign-ins that prove the old password while it is being changed', async () => {
    const { api } = server;
    const { session } = await api.user(application, 'alice');
    const signIn = () =>
      api.send<Begun>('POST', '/v1/sessions', {
        as: application,
        body: { provider: 'password', credential: { login: 'alice', password: PASSWORD } },
      });
    const [changed, ...signIns] = await Promise.all([
      api.send<Begun>('PUT', '/v1/users/me/password', {
        as: session.token,
        body: { old_password: PASSWORD, password: 'another battery staple' },
      }),
      ...Array.from({ length: 8 }, signIn),
    ]);
    expect(changed.status).toBe(200);
    const begun = signIns.filter(({ status }) => status === 201).map(({ body }) => body.session.token);
    expect(await fates(...begun)).toEqual(begun.map(() => ENDED));
    const refused = signIns.filter(({ status }) => status !== 201);
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 401));
  });

  it('S-10 leaves a disabled user no way in, told like a wrong password', async () => {
    const { api } = server;
    const { id } = await api.signUp(application, { login: 'alice' });
    const { token } = await api.applicationSession(application);
    await rows.disableUser(id);
    const body = { provider: 'password', credential: { login: 'alice', password: PASSWORD } };
    const wrong = { provider: 'password', credential: { login: 'alice', password: 'wrong' } };
    const answers = [
      await api.send('POST', '/v1/sessions', { as: application, body: wrong }),
      await api.send('POST', '/v1/sessions', { as: application, body }),
      await api.send('PUT', '/v1/session/user', { as: token, body }),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
      expect({ ...answer.body, request_id: '' }).toEqual({ ...answers[0]!.body, request_id: '' });
    }
    expect(await fate(server, token)).toBe(LIVES);
  });

  it('S-10 comes at once to every session of a user who is shut out, and to nobody else', async () => {
    const { api } = server;
    const { session, user } = await api.user(application, 'alice');
    const second = (await api.signIn(application, { login: 'alice' })).session;
    const bobs = (await api.user(application, 'bob')).session;
    expect(await fates(session.token, second.token, bobs.token)).toEqual([LIVES, LIVES, LIVES]);
    const sessions = server.app.get(SessionService, { strict: false });
    await sessions.endAllOf(application.id, user!.id, 'user_ended');
    expect(await fates(session.token, second.token, bobs.token)).toEqual([ENDED, ENDED, LIVES]);
  });

  it('S-10 does not come with a new application secret', async () => {
    const { api } = server;
    const { session } = await api.user(application, 'alice');
    const rotated = await server.app.get(ApplicationsService, { strict: false }).rotateSecret(application.id);
    expect((await api.send('POST', '/v1/sessions', { as: application, body: {} })).status).toBe(401);
    expect((await api.send('POST', '/v1/sessions', { as: rotated!, body: {} })).status).toBe(201);
    expect(await fate(server, session.token)).toBe(LIVES);
  });

  it('S-10 comes to all sessions of an application when its operator says so, and to no other application', async () => {
    const { api } = server;
    const other = await server.createApplication();
    const begun = [
      (await api.user(application, 'alice')).session,
      (await api.guest(application)).session,
      await api.applicationSession(application),
    ];
    const others = (await api.user(other, 'alice')).session;
    const tokens = [...begun, others].map(({ token }) => token);
    expect(await fates(...tokens)).toEqual([LIVES, LIVES, LIVES, LIVES]);
    await server.app.get(SessionService, { strict: false }).endAllOfApplication(application.id);
    expect(await fates(...tokens)).toEqual([ENDED, ENDED, ENDED, LIVES]);
    const { token } = (await api.signIn(application, { login: 'alice' })).session;
    expect(await fate(server, token)).toBe(LIVES);
  });
});
