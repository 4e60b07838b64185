import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { ApplicationsService } from '../../src/applications/applications.service.js';
import { SecretRotation } from '../../src/secrets/secret-rotation.js';
import { SessionService } from '../../src/session/session.service.js';
import { PASSWORD, type Answer, type SessionBody } from '../support/api-client.js';
import { auditEntries } from '../support/audit-entries.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

const DAY_SECONDS = 86_400;

describeOnEachDatabase('refresh', (kind) => {
  let server: TestApp;
  let other: TestApp;
  let rows: DatabaseRows;
  let application: Application;
  let count = 0;

  beforeAll(async () => {
    server = await TestApp.start(kind);
    other = await TestApp.start(kind, { database: server.database });
    rows = new DatabaseRows(server);
    application = await server.createApplication({ refresh_tokens: true });
  });
  afterAll(async () => {
    await other.stop();
    await server.stop();
  });
  beforeEach(() => {
    count += 1;
  });

  const advance = (by: Parameters<TestApp['clock']['advance']>[0]) => {
    server.clock.advance(by);
    other.clock.advance(by);
  };
  const signIn = async () => {
    const { session } = await server.api.user(application, `user-${count}`);
    return { ...session, refresh_token: session.refresh_token! };
  };
  const works = async (token: string, at = server) => (await at.api.get('/v1/session', token)).status === 200;
  const expectRefused = ({ status, body }: Answer<unknown>) =>
    expect([status, (body as { code: string }).code]).toEqual([401, 'session_ended']);
  const expectRefreshed = ({ status, text, body }: Answer<{ session: SessionBody }>) => {
    expect({ status, text }).toMatchObject({ status: 200 });
    const { token, refresh_token } = body.session;
    return { token, refresh_token: refresh_token! };
  };

  it('gives the next tokens, and the session goes on as it was', async () => {
    const before = await signIn();
    advance({ minutes: 90 });
    const { body } = await server.api.refresh(before.refresh_token);
    expect(body.session).toMatchObject({
      id: before.id,
      user_id: before.user_id,
      created_at: before.created_at,
    });
    expect(body.session.token).not.toBe(before.token);
    expect(body.session.refresh_token).not.toBe(before.refresh_token);
    expect(Date.parse(body.session.expires_at!)).toBe(server.clock.now() + 7_200_000);
    expect(await works(body.session.token)).toBe(true);
    expect(await works(body.session.token, other)).toBe(true);
  });

  it('comes with user sessions only, and only where the application has it', async () => {
    expect((await server.api.applicationSession(application)).refresh_token).toBeUndefined();
    expect((await server.api.guest(application)).session.refresh_token).toMatch(/^ostr_/);
    const without = await server.createApplication();
    expect((await server.api.user(without, 'alice')).session.refresh_token).toBeUndefined();
  });

  it('keeps hashes of tokens alone', async () => {
    const first = await signIn();
    const next = expectRefreshed(await server.api.refresh(first.refresh_token));
    const stored = await rows.dump();
    for (const token of [first.token, first.refresh_token, next.token, next.refresh_token]) {
      expect(stored).not.toContain(token.slice(5));
      expect(server.log).not.toContain(token.slice(5));
    }
  });

  it('lets the access token before work for ten seconds more, in every process', async () => {
    const before = await signIn();
    expect(await works(before.token, other)).toBe(true);
    expectRefreshed(await server.api.refresh(before.refresh_token));
    advance({ seconds: 9 });
    expect([await works(before.token), await works(before.token, other)]).toEqual([true, true]);
    advance({ seconds: 2 });
    expect([await works(before.token), await works(before.token, other)]).toEqual([false, false]);
  });

  it('revives a session that idled out, and never moves its absolute end', async () => {
    const before = await signIn();
    advance({ days: 29 });
    expect(await works(before.token)).toBe(false);
    const revived = expectRefreshed(await server.api.refresh(before.refresh_token));
    expect(await works(revived.token)).toBe(true);
    advance({ days: 1 });
    expect(await works(revived.token)).toBe(false);
    expectRefused(await server.api.refresh(revived.refresh_token));
  });

  it('S-11 a replay after the grace window ends the family, and is seen by whoever is on watch', async () => {
    const first = await signIn();
    const second = expectRefreshed(await server.api.refresh(first.refresh_token));
    advance({ seconds: 11 });
    expect(await works(second.token, other)).toBe(true);
    expectRefused(await other.api.refresh(first.refresh_token));
    expect(await works(second.token, other)).toBe(false);
    // The process that has not ended it reads the log within the bound.
    advance({ seconds: 2 });
    expect(await works(second.token)).toBe(false);
    expectRefused(await server.api.refresh(second.refresh_token));
    const entries = await auditEntries(server, 'refresh.replayed');
    expect(entries.filter(({ sessionId }) => sessionId === first.id)).toMatchObject([
      { userId: first.user_id, outcome: 'refused', address: '127.0.0.1', requestId: expect.any(String) },
    ]);
    expect(other.log).toMatch(/"level":"warn".*"outcome":"replayed"/);
    expect((await other.api.get('/metrics')).text).toMatch(
      /ostiary_refresh_tokens_presented_total\{outcome="replayed"\} [1-9]/,
    );
    expect((await other.api.get('/metrics')).text).toMatch(
      /ostiary_sessions_ended_total\{reason="refresh_replayed"\} [1-9]/,
    );
  });

  it('S-11 a thief who is first is found out by the user who is second', async () => {
    const { refresh_token } = await signIn();
    const thief = expectRefreshed(await server.api.refresh(refresh_token));
    advance({ hours: 1 });
    expectRefused(await server.api.refresh(refresh_token));
    expect(await works(thief.token)).toBe(false);
    expectRefused(await server.api.refresh(thief.refresh_token));
  });

  it('S-12 a lost answer is given again, by any process, for ten seconds', async () => {
    const { refresh_token } = await signIn();
    const lost = expectRefreshed(await server.api.refresh(refresh_token));
    advance({ seconds: 10 });
    const again = expectRefreshed(await other.api.refresh(refresh_token));
    expect(again).toEqual(lost);
    expect(await works(again.token)).toBe(true);
    expectRefreshed(await server.api.refresh(again.refresh_token));
  });

  it('S-12 also when the lost answer’s successor was used by then', async () => {
    const { refresh_token } = await signIn();
    const first = expectRefreshed(await server.api.refresh(refresh_token));
    const second = expectRefreshed(await server.api.refresh(first.refresh_token));
    const late = expectRefreshed(await other.api.refresh(refresh_token));
    expect(late).toEqual(first);
    expect(expectRefreshed(await other.api.refresh(late.refresh_token))).toEqual(second);
  });

  it('S-13 fifty parallel refreshes in two processes give one successor, and nobody is signed out', async () => {
    const { refresh_token } = await signIn();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 ? server : other).api.refresh(refresh_token)),
    );
    const given = new Set(answers.map((answer) => JSON.stringify(expectRefreshed(answer))));
    expect(given.size).toBe(1);
    const { token } = JSON.parse([...given][0]!) as { token: string };
    expect([await works(token), await works(token, other)]).toEqual([true, true]);
  });

  it('S-14 a refresh token is nothing to another application, nor to its own with a wrong secret', async () => {
    const { refresh_token } = await signIn();
    const stranger = await server.createApplication({ refresh_tokens: true });
    expectRefused(await server.api.refresh(refresh_token, stranger));
    const wrong = await server.api.refresh(refresh_token, { ...application, authSecret: 'as_wrong' });
    expect([wrong.status, wrong.text]).toEqual([401, expect.stringContaining('invalid_client')]);
    // None of that has used it up.
    expectRefreshed(await server.api.refresh(refresh_token, application));
  });

  it('S-14 a new client secret that ends sessions ends their refresh tokens, and the old secret opens nothing', async () => {
    const own = await server.createApplication({ refresh_tokens: true });
    const { session } = await server.api.user(own, 'alice');
    const applications = server.app.get(ApplicationsService, { strict: false });
    const rotated = (await applications.rotateSecret(own.id))!;
    const withOld = await server.api.refresh(session.refresh_token, own);
    expect([withOld.status, withOld.text]).toEqual([401, expect.stringContaining('invalid_client')]);
    const kept = expectRefreshed(await server.api.refresh(session.refresh_token, rotated));
    await server.app.get(SessionService, { strict: false }).endAllOfApplication(own.id);
    expectRefused(await server.api.refresh(kept.refresh_token, rotated));
    expect(await works(kept.token)).toBe(false);
  });

  it('S-14 pages of other origins refresh nothing, and use nothing up', async () => {
    const { refresh_token } = await signIn();
    const answer = await server.api.send('POST', '/v1/session/refresh', {
      body: { refresh_token },
      headers: { origin: 'https://evil.example' },
    });
    expect([answer.status, answer.body['code']]).toEqual([403, 'origin_not_allowed']);
    expectRefreshed(await server.api.refresh(refresh_token));
  });

  it.each<[string, (session: SessionBody) => Promise<unknown>]>([
    ['ended', (session) => server.api.send('DELETE', '/v1/session', { as: session.token })],
    ['signed out', (session) => server.api.send('DELETE', '/v1/session/user', { as: session.token })],
    [
      'signed in anew',
      (session) =>
        server.api.send('PUT', '/v1/session/user', {
          as: session.token,
          body: { provider: 'password', credential: { login: `user-${count}`, password: PASSWORD } },
        }),
    ],
    [
      'ended by another one of the user',
      async (session) => {
        const { session: second } = await server.api.signIn(application, { login: `user-${count}` });
        return server.api.send('DELETE', `/v1/users/me/sessions/${session.id}`, { as: second.token });
      },
    ],
    [
      'ended by a change of password',
      async () => {
        const { session: second } = await server.api.signIn(application, { login: `user-${count}` });
        return server.api.send('PUT', '/v1/users/me/password', {
          as: second.token,
          body: { old_password: PASSWORD, password: 'another horse battery staple' },
        });
      },
    ],
    [
      'of a user who was deleted',
      (session) => rows.run('DELETE FROM users WHERE id = :id', { id: session.user_id }),
    ],
  ])('S-15 revives no session that was %s', async (_, end) => {
    const session = await signIn();
    const answer = await end(session);
    expect([200, 204, undefined]).toContain((answer as Partial<Answer>).status);
    expectRefused(await server.api.refresh(session.refresh_token));
    expectRefused(await other.api.refresh(session.refresh_token));
  });

  it('S-15 the access token before a refresh ends with the session, grace or not', async () => {
    const before = await signIn();
    const after = expectRefreshed(await server.api.refresh(before.refresh_token));
    await server.api.send('DELETE', '/v1/session', { as: after.token });
    expect([await works(before.token), await works(before.token, other)]).toEqual([false, false]);
  });

  it('S-15 a signed-out session does not come back through the access token before a refresh', async () => {
    const before = await signIn();
    const after = expectRefreshed(await server.api.refresh(before.refresh_token));
    await server.api.send('DELETE', '/v1/session/user', { as: after.token });
    expect([await works(before.token), await works(before.token, other)]).toEqual([false, false]);
  });

  it('S-16 a database that went back in time leads to the same successor, never to a second one', async () => {
    const { id, refresh_token } = await signIn();
    const sessions = await rows.run<{ token_hash: string }>(
      'SELECT token_hash FROM sessions WHERE id = :id',
      { id },
    );
    const given = expectRefreshed(await server.api.refresh(refresh_token));
    // As a standby that had not heard of the refresh when it was promoted.
    await rows.run('DELETE FROM refresh_tokens WHERE session_id = :id AND used_at IS NULL', { id });
    await rows.run('UPDATE refresh_tokens SET used_at = NULL WHERE session_id = :id', { id });
    await rows.run('UPDATE sessions SET token_hash = :hash WHERE id = :id', {
      id,
      hash: sessions[0]!.token_hash,
    });
    advance({ minutes: 1 });
    expect(expectRefreshed(await other.api.refresh(refresh_token))).toEqual(given);
    expect(await works(given.token)).toBe(true);
  });

  it('S-16 of a refresh and an end at the same moment, the end holds', async () => {
    for (let round = 0; round < 10; round += 1) {
      count += 1;
      const { token, refresh_token } = await signIn();
      const [ended, refreshed] = await Promise.all([
        server.api.send('DELETE', '/v1/session', { as: token }),
        other.api.refresh(refresh_token),
      ]);
      expect(ended.status).toBe(204);
      if (refreshed.status === 200) {
        const next = expectRefreshed(refreshed);
        advance({ seconds: 2 });
        expect([await works(next.token), await works(next.token, other)]).toEqual([false, false]);
        expectRefused(await server.api.refresh(next.refresh_token));
      } else expectRefused(refreshed);
    }
  });

  it('repeats an answer whose key was changed meanwhile', async () => {
    const { refresh_token } = await signIn();
    const given = expectRefreshed(await server.api.refresh(refresh_token));
    const rotation = server.app.get(SecretRotation, { strict: false });
    // On PostgreSQL the key is the operator's, who restarts every process with both.
    if (kind === 'sqlite') await rotation.rotate();
    expect(expectRefreshed(await other.api.refresh(refresh_token))).toEqual(given);
    expectRefreshed(await other.api.refresh(given.refresh_token));
  });

  it('keeps a guest who comes back within the days that sessions last at most', async () => {
    const own = await server.createApplication({ refresh_tokens: true, guest_idle_days: 1 });
    const { session } = await server.api.guest(own);
    advance({ days: 29 });
    const revived = expectRefreshed(await server.api.refresh(session.refresh_token));
    expect(await works(revived.token)).toBe(true);
    advance({ seconds: 30 * DAY_SECONDS });
    expectRefused(await server.api.refresh(revived.refresh_token));
  });

  it.each([
    ['no token at all', {}, 422],
    ['a number', { refresh_token: 1 }, 422],
    ['an access token', { refresh_token: `osta_${'a'.repeat(43)}` }, 401],
    ['nobody’s token', { refresh_token: `ostr_${'a'.repeat(43)}` }, 401],
    ['SQL', { refresh_token: "' OR 1=1 --" }, 401],
    ['another field', { refresh_token: `ostr_${'a'.repeat(43)}`, user_id: 1 }, 422],
  ])('refuses %s', async (_, body, status) => {
    expect((await server.api.send('POST', '/v1/session/refresh', { body })).status).toBe(status);
  });
});
