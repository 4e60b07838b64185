import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { Transactions } from '../../src/persistence/transactions.js';
import { sameSecret } from '../../src/secrets/secrets.js';
import { newAccessToken, tokenHash } from '../../src/session/access-token.js';
import { authorization, PASSWORD, type Begun, type SessionBody } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const PREFIX = 'osta_';
const TOKEN_LENGTH = 48;
const RANDOM_LENGTH = TOKEN_LENGTH - PREFIX.length;

describe('a million access tokens', () => {
  const TOKENS = 1_000_000;
  const seen = new Set<string>();
  const shapes = new Set<string>();
  /** How often each symbol stands at each place, and how often each step lies between one token's and the next's. */
  const symbols = table();
  const steps = table();

  beforeAll(() => {
    let previous = new Array<number>(RANDOM_LENGTH).fill(0);
    for (let i = 0; i < TOKENS; i += 1) {
      const token = newAccessToken();
      seen.add(token);
      shapes.add(`${token.length} ${token.slice(0, PREFIX.length)}`);
      const values = [...token.slice(PREFIX.length)].map((symbol) => ALPHABET.indexOf(symbol));
      values.forEach((value, place) => {
        symbols[place]![value]! += 1;
        steps[place]![(value - previous[place]! + ALPHABET.length) % ALPHABET.length]! += 1;
      });
      previous = values;
    }
  }, 120_000);
  afterAll(() => seen.clear());

  it('S-01 are all different and all of one shape, from one alphabet', () => {
    expect(seen.size).toBe(TOKENS);
    expect([...shapes]).toEqual([`${TOKEN_LENGTH} ${PREFIX}`]);
    // A symbol outside of the alphabet would have been counted nowhere.
    const counted = symbols.map((counts) => counts.reduce((sum, count) => sum + count, 0));
    expect(counted).toEqual(new Array(RANDOM_LENGTH).fill(TOKENS));
  });

  it.each([
    ['symbols at each place', symbols],
    ['steps from one token to the next', steps],
  ])('S-01 have evenly spread %s', (_, counts) => {
    // 256 bits end four bits into the last symbol, which therefore has sixteen forms.
    const forms = (place: number) => (place === RANDOM_LENGTH - 1 ? 16 : 64);
    const used = counts.map((row) => row.filter((count) => count > 0).length);
    expect(used).toEqual(counts.map((_row, place) => forms(place)));
    // An honest generator exceeds this at one place in some 10^15 runs: mean 63, standard deviation 11.
    for (const row of counts) expect(chiSquare(row.filter((count) => count > 0))).toBeLessThan(200);
  });

  function table(): number[][] {
    return Array.from({ length: RANDOM_LENGTH }, () => new Array<number>(ALPHABET.length).fill(0));
  }

  function chiSquare(counts: readonly number[]): number {
    const expected = TOKENS / counts.length;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  }
});

describe('the comparison of client secrets', () => {
  it.each([
    ['another secret', 'as_aaaa', 'as_aaab', false],
    ['a beginning of it', 'as_aaaa', 'as_aaa', false],
    ['more than it', 'as_aaaa', 'as_aaaab', false],
    ['nothing', 'as_aaaa', '', false],
    ['the secret', 'as_aaaa', 'as_aaaa', true],
  ])('S-18 knows %s from the secret, whatever their lengths', (_, left, right, same) => {
    expect(sameSecret(left, right)).toBe(same);
  });
});

describeOnEachDatabase('session tokens', (kind) => {
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

  const check = async (token: string) => {
    const { status, body } = await server.api.get('/v1/session', token);
    return status === 200 ? 'lives' : body['code'];
  };

  const signInOn = (token: string, login: string) =>
    server.api.send<Begun>('PUT', '/v1/session/user', {
      as: token,
      body: { provider: 'password', credential: { login, password: PASSWORD } },
    });

  it('S-01 are kept as their SHA-256 and nowhere in clear', async () => {
    const { session } = await server.api.user(application, 'alice');
    await server.api.get('/v1/users/me', session.token);
    const dump = await rows.dump();
    expect(dump).toContain(tokenHash(session.token));
    expect(dump).not.toContain(session.token.slice(PREFIX.length));
    expect(server.log).not.toContain(session.token.slice(PREFIX.length));
  });

  it('S-02 change when a user signs in, so that whoever planted the session is left with nothing', async () => {
    await server.api.signUp(application, { login: 'victim' });
    const planted = await server.api.applicationSession(application);
    const { status, body } = await signInOn(planted.token, 'victim');
    expect(status).toBe(200);
    expect(body.session).toMatchObject({ id: planted.id, kind: 'user' });
    expect(body.session.token).not.toBe(planted.token);
    expect(await check(body.session.token)).toBe('lives');
    expect(await check(planted.token)).toBe('session_ended');
    expect((await server.api.get('/v1/users/me', planted.token)).status).toBe(401);
    expect((await signInOn(planted.token, 'victim')).status).toBe(401);
  });

  it('S-02 change once when two sign in on one session at the same instant', async () => {
    await server.api.signUp(application, { login: 'victim' });
    await server.api.signUp(application, { login: 'attacker' });
    const { token } = await server.api.applicationSession(application);
    const answers = await Promise.all([signInOn(token, 'victim'), signInOn(token, 'attacker')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  it('S-02 change when the user signs out and leave nothing of the user behind', async () => {
    const { session } = await server.api.user(application, 'alice');
    const { body } = await server.api.send<Begun>('DELETE', '/v1/session/user', { as: session.token });
    expect(await check(session.token)).toBe('session_ended');
    expect(await check(body.session.token)).toBe('lives');
    const asked = await server.api.get('/v1/users/me', body.session.token);
    expect(asked).toMatchObject({ status: 403, body: { code: 'user_session_required' } });
  });

  describe('S-17 in the wrong place', () => {
    it.each(['token', 'access_token', 'session', 'cb_token'])(
      'S-17 are not accepted as ?%s= and appear neither in the answer nor in the log',
      async (parameter) => {
        const { session } = await server.api.user(application, 'alice');
        const answer = await server.api.get(`/v1/session?${parameter}=${session.token}`);
        expect(answer).toMatchObject({ status: 401, body: { code: 'authentication_required' } });
        expect(answer.text).not.toContain(session.token);
        expect(server.log).not.toContain(session.token);
        expect(server.log).toContain(String(answer.body['request_id']));
      },
    );

    it.each([
      ['GET', '/v1/session/{token}', 404],
      ['GET', '/{token}', 404],
      ['DELETE', '/v1/users/me/sessions/{token}', 404],
      ['GET', '/v1/users/me/sessions?cursor={token}', 422],
      ['GET', '/v1/%zz/{token}', 400],
      ['PUT', '/v1/users/me/password?token={token}', 422],
    ] as const)(
      'S-17 appear neither in the answer nor in the log of %s %s',
      async (method, pattern, status) => {
        const { session } = await server.api.user(application, 'alice');
        const answer = await server.api.send(method, pattern.replace('{token}', session.token), {
          as: session.token,
          headers: { referer: `https://app.example.com/?token=${session.token}` },
          ...(method === 'PUT' && { body: { password: session.token, token: session.token } }),
        });
        expect(answer.status).toBe(status);
        expect(answer.text).not.toContain(session.token);
        expect([...answer.headers].join()).not.toContain(session.token);
        expect(server.log).not.toContain(session.token);
      },
    );
  });

  it('S-17 and passwords and client secrets appear nowhere in the log, whether they are right or wrong', async () => {
    const { api } = server;
    const secrets = ['right-zq7marker-1', 'wrong-zq7marker-2', 'next-zq7marker-3'] as const;
    const [right, wrong, next] = secrets;
    await api.signUp(application, { login: 'alice', password: right });
    const { session } = await api.signIn(application, { login: 'alice', password: right });
    const credential = { login: 'alice', password: wrong };
    const refusals = [
      await api.send('POST', '/v1/sessions', { as: application, body: { provider: 'password', credential } }),
      await api.send('POST', '/v1/sessions', { as: { ...application, authSecret: wrong } }),
      await api.send('POST', '/v1/sessions', { as: application, body: `{"password": "${wrong}"` }),
      await api.send('PUT', '/v1/users/me/password', {
        as: session.token,
        body: { old_password: wrong, password: next },
      }),
      await api.send('POST', '/v1/users', {
        as: application,
        body: { login: 'b', password: wrong, x: wrong },
      }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 400, 401, 422]);
    const changed = await api.send('PUT', '/v1/users/me/password', {
      as: session.token,
      body: { old_password: right, password: next },
    });
    expect(changed.status).toBe(200);
    expect(server.log).toContain('"status":401');
    for (const secret of [...secrets, application.authSecret, authorization(application).slice(6)]) {
      expect(server.log).not.toContain(secret);
      for (const { text } of refusals) expect(text).not.toContain(secret);
    }
  });

  it('S-18 are looked up by their hash on a unique index', async () => {
    const transactions = server.app.get(Transactions, { strict: false });
    const asked: { sql: string; parameters: Readonly<Record<string, unknown>> }[] = [];
    const spy = jest.spyOn(transactions, 'query').mockImplementation((sql, parameters = {}) => {
      asked.push({ sql, parameters });
      return Promise.resolve([]);
    });
    const token = newAccessToken();
    const status = (await server.api.get('/v1/session', token)).status;
    spy.mockRestore();
    expect(status).toBe(401);
    // As a session's token, and as one that a refresh has just replaced.
    expect(asked).toHaveLength(2);
    const onIndex = {
      sqlite: [
        /SEARCH sessions USING INDEX sqlite_autoindex_sessions_\d \(token_hash=\?\)/,
        /SEARCH r USING INDEX sqlite_autoindex_refresh_tokens_\d \(access_token_hash=\?\)/,
      ],
      postgres: [
        /Index Scan using sessions_token_hash on sessions.*Index Cond/,
        /Index Scan using refresh_tokens_access_token_hash on refresh_tokens/,
      ],
    };
    for (const [i, { sql, parameters }] of asked.entries()) {
      expect(JSON.stringify(parameters)).toContain(tokenHash(token));
      expect(JSON.stringify(parameters)).not.toContain(token);
      expect(await rows.explain(sql, parameters)).toMatch(onIndex[kind][i]!);
    }
  });

  it('S-18 and client secrets that begin right are refused like those of unknown applications', async () => {
    const { authSecret } = application;
    const refusals = await Promise.all(
      [
        { ...application, authSecret: authSecret.slice(0, -1) },
        { ...application, authSecret: `${authSecret}a` },
        { ...application, authSecret: '' },
        { ...application, authKey: 'ak_nobody' },
        { ...application, authKey: 'ak_nobody', authSecret: '' },
      ].map((client) => server.api.send('POST', '/v1/sessions', { as: client, body: {} })),
    );
    for (const refusal of refusals) {
      expect(refusal.status).toBe(401);
      expect({ ...refusal.body, request_id: '' }).toEqual({ ...refusals[0]!.body, request_id: '' });
      expect(refusal.body['code']).toBe('invalid_client');
    }
  });

  it('S-19 cannot be replaced by anything that can be guessed, read from an answer or read from the database', async () => {
    const { session } = await server.api.user(application, 'alice');
    const { token, id } = session;
    const forged: Record<string, string>[] = [
      { cookie: `session=${id}; token=${id}; sid=${id}; osta=${token}` },
      { cookie: `token=${token}` },
      { authorization: '' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${id}` },
      { authorization: `Bearer osta_${id}` },
      { authorization: 'Bearer osta_' },
      { authorization: 'Bearer null' },
      { authorization: `Bearer ${tokenHash(token)}` },
      { authorization: `Bearer osta_${tokenHash(token)}` },
      { authorization: `Bearer ${token.slice(0, -1)}` },
      { authorization: `Bearer ${token}A` },
      { authorization: `Bearer ${token.slice(PREFIX.length)}` },
      { authorization: `Bearer ${token.toUpperCase()}` },
      { authorization: `Bearer ${swapLast(token)}` },
      { authorization: `Bearer ${application.authSecret}` },
      { authorization: `Token ${token}` },
      { authorization: token },
      { 'x-session-id': String(id), 'cb-token': token },
    ];
    for (const headers of forged) {
      const { status, text } = await server.api.send('GET', '/v1/session', { headers });
      expect({ headers, status, text }).toEqual({ headers, status: 401, text: expect.any(String) });
      expect(text).toMatch(/"code":"(authentication_required|session_ended)"/);
    }
    expect(await check(token)).toBe('lives');
  });

  describe('listed', () => {
    const list = async (token: string, query = '') =>
      (await server.api.get<{ items: SessionBody[] }>(`/v1/users/me/sessions${query}`, token)).body.items;

    it('S-20 show the own living ones of this application and no others', async () => {
      const other = await server.createApplication();
      const { api } = server;
      const mine = [(await api.user(application, 'alice')).session];
      await api.user(application, 'bob');
      await api.user(other, 'alice');
      await api.applicationSession(application);
      await api.guest(application);
      const ended = (await api.signIn(application, { login: 'alice' })).session;
      await api.send('DELETE', '/v1/session', { as: ended.token });
      mine.unshift((await api.signIn(application, { login: 'alice' })).session);

      const ids = mine.map(({ id }) => id);
      const items = await list(mine[0]!.token);
      expect(items.map(({ id }) => id)).toEqual(ids);
      expect((await list(mine[0]!.token, `?cursor=${ids[0]! + 1000}`)).map(({ id }) => id)).toEqual(ids);
      expect(items.every(({ user_id }) => user_id === mine[0]!.user_id)).toBe(true);
    });

    it('S-20 have ids that are no tokens, and carry neither tokens nor hashes', async () => {
      const { session } = await server.api.user(application, 'alice');
      const { text } = await server.api.get('/v1/users/me/sessions', session.token);
      expect(text).not.toContain(session.token);
      expect(text).not.toContain(tokenHash(session.token));
      expect(text).not.toContain('token');
      expect(await check(String(session.id))).toBe('session_ended');
    });

    it('S-20 cannot be ended by anybody else, who is told no more than that they are not theirs', async () => {
      const other = await server.createApplication();
      const { api } = server;
      const target = (await api.user(application, 'alice')).session;
      const strangers = [
        (await api.user(application, 'bob')).session,
        (await api.user(other, 'alice')).session,
      ];
      for (const { token } of strangers) {
        const [theirs, nobodys] = [
          await api.send('DELETE', `/v1/users/me/sessions/${target.id}`, { as: token }),
          await api.send('DELETE', '/v1/users/me/sessions/999999999', { as: token }),
        ];
        expect(theirs).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
        expect({ ...theirs.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' });
        await api.send('DELETE', '/v1/users/me/sessions', { as: token });
      }
      expect(await check(target.token)).toBe('lives');
    });
  });
});

/** Another token of the same shape that differs in its last symbol. */
function swapLast(token: string): string {
  return token.slice(0, -1) + (token.endsWith('A') ? 'E' : 'A');
}
