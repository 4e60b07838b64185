import argon2 from '@node-rs/argon2';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';
import { PASSWORD, type Answer } from '../support/api-client.js';
import { DatabaseRows } from '../support/database-rows.js';
import { describeOnEachDatabase } from '../support/databases.js';
import { TestApp } from '../support/test-app.js';

const NEW_PASSWORD = 'another battery staple';
/** As many refused sign-ins of one user as `config/default.yaml` lets pass. */
const FAILURES = 10;

describeOnEachDatabase('passwords', (kind) => {
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
    // Beyond every window of the throttle, so that no test counts for the next.
    server.clock.advance({ days: 1 });
  });

  const signIn = (credential: Record<string, unknown>) =>
    server.api.send('POST', '/v1/sessions', {
      as: application,
      body: { provider: 'password', credential },
    });
  const signUp = (login: string, password: string) =>
    server.api.send('POST', '/v1/users', { as: application, body: { login, password } });
  const change = (token: string, body: Record<string, unknown>) =>
    server.api.send('PUT', '/v1/users/me/password', { as: token, body });

  describe('the change of a password', () => {
    it('U-04 asks for the old one', async () => {
      const { session } = await server.api.user(application, 'alice');
      const answer = await change(session.token, { password: NEW_PASSWORD });
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'validation_failed', errors: [{ pointer: '/old_password', code: 'required' }] },
      });
      expect((await signIn({ login: 'alice', password: NEW_PASSWORD })).status).toBe(401);
      expect((await signIn({ login: 'alice', password: PASSWORD })).status).toBe(201);
    });

    it.each(['wrong', '', PASSWORD.toUpperCase(), `${PASSWORD} `])(
      'U-04 refuses %j as the old one and changes nothing',
      async (old_password) => {
        const { session } = await server.api.user(application, 'alice');
        const answer = await change(session.token, { old_password, password: NEW_PASSWORD });
        expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
        expect((await server.api.get('/v1/session', session.token)).status).toBe(200);
        expect((await signIn({ login: 'alice', password: PASSWORD })).status).toBe(201);
      },
    );

    it('U-04 counts wrong old ones like refused sign-ins, until even the right one has to wait', async () => {
      const { session } = await server.api.user(application, 'alice');
      for (let i = 0; i < FAILURES; i += 1) {
        const { status } = await change(session.token, {
          old_password: `wrong ${i}`,
          password: NEW_PASSWORD,
        });
        expect(status).toBe(401);
      }
      const right = { old_password: PASSWORD, password: NEW_PASSWORD };
      expect((await change(session.token, right)).status).toBe(429);
      expect((await signIn({ login: 'alice', password: PASSWORD })).status).toBe(429);
      server.clock.advance({ minutes: 1 });
      expect((await change(session.token, right)).status).toBe(200);
    });

    it('U-04 lets a missing old one count for nothing', async () => {
      const { session } = await server.api.user(application, 'alice');
      for (let i = 0; i <= FAILURES; i += 1) {
        expect((await change(session.token, { password: NEW_PASSWORD })).status).toBe(422);
      }
      expect((await signIn({ login: 'alice', password: PASSWORD })).status).toBe(201);
    });
  });

  describe('whoever has none', () => {
    beforeEach(async () => {
      const { id } = await server.api.signUp(application, { login: 'federated' });
      await rows.removePassword(id);
    });

    it.each(['', 'null', 'undefined', '0', ' ', PASSWORD])(
      'U-06 is refused with %j as if they were nobody, after one verification',
      async (password) => {
        const verify = jest.spyOn(argon2, 'verify');
        const theirs = await signIn({ login: 'federated', password });
        const calls = verify.mock.calls.length;
        verify.mockRestore();
        expect(theirs).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
        expect(withoutRequest(theirs)).toEqual(
          withoutRequest(await signIn({ login: 'nobody', password: PASSWORD })),
        );
        expect(calls).toBe(1);
      },
    );

    it('U-06 has no password even where the stand-in that is compared against matches', async () => {
      const verify = jest.spyOn(argon2, 'verify').mockResolvedValue(true);
      const { status } = await signIn({ login: 'federated', password: PASSWORD });
      verify.mockRestore();
      expect(status).toBe(401);
    });
  });

  it('U-06 refuses an empty password of somebody who has another', async () => {
    await server.api.signUp(application, { login: 'alice' });
    const answer = await signIn({ login: 'alice', password: '' });
    expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
  });

  describe('a sign-in that is refused', () => {
    const known = { login: 'alice', email: 'alice@example.com', phone: '+15550100' } as const;
    const unknown = { login: 'nobody', email: 'nobody@example.com', phone: '+15550199' } as const;

    beforeEach(async () => {
      await server.api.signUp(application, known);
    });

    /** Answers to a wrong password, with how many comparisons each took. */
    async function refuse(send: () => Promise<Answer>): Promise<object> {
      const verify = jest.spyOn(argon2, 'verify');
      const hash = jest.spyOn(argon2, 'hash');
      const answer = await send();
      const work = { verifications: verify.mock.calls.length, hashes: hash.mock.calls.length };
      verify.mockRestore();
      hash.mockRestore();
      return { ...withoutRequest(answer), ...work };
    }

    it.each(['login', 'email', 'phone'] as const)(
      'U-07 does not tell by its status, body, headers or work whether there is such a %s',
      async (kindOfName) => {
        // The first hash that nobody has is made once for the life of the process.
        await signIn({ login: 'nobody at all', password: 'wrong' });
        const { token } = await server.api.applicationSession(application);
        const onSession = (credential: object) =>
          server.api.send('PUT', '/v1/session/user', {
            as: token,
            body: { provider: 'password', credential },
          });
        for (const send of [signIn, onSession]) {
          const credential = (names: typeof known | typeof unknown) => ({
            [kindOfName]: names[kindOfName],
            password: 'wrong',
          });
          const ofKnown = await refuse(() => send(credential(known)));
          const ofUnknown = await refuse(() => send(credential(unknown)));
          expect(ofKnown).toMatchObject({ status: 401, verifications: 1, hashes: 0 });
          expect(ofUnknown).toEqual(ofKnown);
        }
      },
    );

    it('U-07 does not tell by when the pauses begin and end, either', async () => {
      const statuses = async (login: string) => {
        const seen: unknown[] = [];
        for (let i = 0; i < FAILURES + 4; i += 1) {
          const { status, headers } = await signIn({ login, password: 'wrong' });
          seen.push([status, headers.get('retry-after')]);
          if (i === FAILURES + 1) server.clock.advance({ minutes: 1 });
        }
        return seen;
      };
      const ofKnown = await statuses('alice');
      expect(ofKnown.filter((seen) => (seen as [number])[0] === 429)).toHaveLength(3);
      expect(await statuses('nobody')).toEqual(ofKnown);
    });
  });

  describe('the length of a password', () => {
    it.each([
      [7, 'too_short'],
      [8, null],
      [15, null],
      [64, null],
      [72, null],
      [73, null],
      [1000, null],
      [1024, null],
      [1025, 'too_long'],
    ])('U-14 of %d characters is judged as characters, and none is cut off', async (length, fault) => {
      for (const [name, password] of [
        ['ascii', 'x7'.repeat(1024).slice(0, length - 1) + 'z'],
        ['emoji', '\u{1F511}'.repeat(length)],
      ] as const) {
        const answer = await signUp(name, password);
        if (fault !== null) {
          expect(answer.status).toBe(422);
          expect(JSON.stringify(answer.body['errors'])).toContain(fault);
          continue;
        }
        expect({ name, status: answer.status }).toEqual({ name, status: 201 });
        expect((await signIn({ login: name, password })).status).toBe(201);
        // One character less, one more, and another one at the end.
        const shorter = [...password].slice(0, -1).join('');
        for (const wrong of [shorter, `${password}z`, `${shorter}y`]) {
          expect((await signIn({ login: name, password: wrong })).status).toBe(401);
        }
      }
    });

    it.each([72, 255, 1000])(
      'U-14 tells passwords apart that differ only after character %d',
      async (same) => {
        const begin = 'b4'.repeat(500).slice(0, same);
        await signUp('alice', `${begin}one`);
        expect((await signIn({ login: 'alice', password: `${begin}two` })).status).toBe(401);
        expect((await signIn({ login: 'alice', password: begin })).status).toBe(401);
        expect((await signIn({ login: 'alice', password: `${begin}one` })).status).toBe(201);
      },
    );

    it('U-14 does not change what is far too long into something that fits', async () => {
      const answer = await signUp('alice', 'x'.repeat(5000));
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/password' }] } });
      expect((await signIn({ login: 'alice', password: 'x'.repeat(5000) })).status).toBe(422);
      expect((await signIn({ login: 'alice', password: 'x'.repeat(1024) })).status).toBe(401);
    });
  });

  it.each([
    ['NFC', 'NFD'],
    ['NFD', 'NFC'],
  ])('U-14 takes a password set in %s when it is typed in %s', async (set, typed) => {
    const password = 'Übergrößenträger à la crème';
    expect(password.normalize(set)).not.toBe(password.normalize(typed));
    await signUp('alice', password.normalize(set));
    expect((await signIn({ login: 'alice', password: password.normalize(typed) })).status).toBe(201);
    expect((await signIn({ login: 'alice', password: 'Ubergroßentrager a la creme' })).status).toBe(401);
  });

  it.each([' in front of it', 'behind it ', 'two  within it', '          '])(
    'U-14 keeps the spaces of %j',
    async (password) => {
      expect((await signUp('alice', password)).status).toBe(201);
      expect((await signIn({ login: 'alice', password })).status).toBe(201);
      for (const other of [password.trim(), password.replace('  ', ' ')]) {
        if (other !== password) expect((await signIn({ login: 'alice', password: other })).status).toBe(401);
      }
    },
  );

  it.each([
    ['NUL', 'battery\0staple'],
    ['half of a surrogate pair', 'battery\ud83dstaple'],
  ])('U-14 refuses %s in every password that is set or tried', async (_, password) => {
    const { session } = await server.api.user(application, 'alice');
    const answers = [
      await signUp('bob', password),
      await signIn({ login: 'alice', password }),
      await change(session.token, { old_password: password, password: NEW_PASSWORD }),
      await change(session.token, { old_password: PASSWORD, password }),
    ];
    for (const { status, body } of answers) {
      expect({ status, code: body['code'] }).toEqual({ status: 422, code: 'validation_failed' });
    }
  });

  describe('a password that is tried first', () => {
    const common = [
      'password',
      '12345678',
      '1234567890',
      'qwertyuiop',
      'iloveyou',
      'password1',
      'PassWord',
      'sunshine',
      'football',
      '11111111',
      '1q2w3e4r',
      'ｐａｓｓｗｏｒｄ',
    ];

    it.each(common)('U-15 is refused at sign-up, with the reason: %s', async (password) => {
      const answer = await signUp('alice', password);
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'password_refused', errors: [{ pointer: '/password', code: 'too_common' }] },
      });
      expect((await signIn({ login: 'alice', password })).status).toBe(401);
    });

    it('U-15 is refused at a change, and for the first password of a guest', async () => {
      const { session } = await server.api.user(application, 'alice');
      const guest = await server.api.guest(application);
      for (const answer of [
        await change(session.token, { old_password: PASSWORD, password: 'password1' }),
        await change(guest.session.token, { login: 'guest', password: 'password1' }),
      ]) {
        expect(answer).toMatchObject({ status: 422, body: { code: 'password_refused' } });
      }
      expect((await signIn({ login: 'alice', password: PASSWORD })).status).toBe(201);
    });

    it.each([
      ['Blue Lagoon', 'too_common'],
      ['bluelagoon', 'too_common'],
      ['alice.smith', 'same_as_identifier'],
      ['ALICE.SMITH', 'same_as_identifier'],
      ['alice.s@example.com', 'same_as_identifier'],
      ['+15550100', 'same_as_identifier'],
    ])('U-15 is refused where it is known from its surroundings: %s', async (password, code) => {
      const named = await server.createApplication({}, 'Blue Lagoon');
      const answer = await server.api.send('POST', '/v1/users', {
        as: named,
        body: { login: 'alice.smith', email: 'alice.s@example.com', phone: '+15550100', password },
      });
      expect(answer).toMatchObject({
        status: 422,
        body: { code: 'password_refused', errors: [{ pointer: '/password', code }] },
      });
    });

    it('U-15 is taken where the operator allows it, short ones and identifiers excepted', async () => {
      const lax = await server.createApplication({ common_passwords: 'allow' });
      const attempt = async (login: string, password: string) =>
        (await server.api.send('POST', '/v1/users', { as: lax, body: { login, password } })).status;
      expect(await attempt('alice', 'password')).toBe(201);
      expect(await attempt('bob', 'passwor')).toBe(422);
      expect(await attempt('carolina', 'carolina')).toBe(422);
    });
  });
});

/** What an answer says, without what names the request it answers. */
function withoutRequest({ status, headers, body }: Answer) {
  // The request's id has more digits later on, and the length follows it.
  const named = ['x-request-id', 'date', 'content-length'];
  return {
    status,
    headers: [...headers].filter(([name]) => !named.includes(name)),
    headerNames: [...headers.keys()],
    body: { ...body, request_id: '' },
  };
}
