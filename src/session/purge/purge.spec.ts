import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Rows } from '../../../test/support/builders.js';
import { describeOnEachDatabase } from '../../../test/support/databases.js';
import { runPass } from '../../../test/support/job-process.js';
import { RefreshRows } from '../../../test/support/refresh-rows.js';
import { TestStores } from '../../../test/support/test-stores.js';
import { AuditEntryRepository } from '../../audit/audit-entry.repository.js';
import { AuditLog } from '../../audit/audit-log.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import { DomainEvents } from '../../events/domain-events.js';
import { OverSessions } from './over-sessions.js';
import { PurgeGuestsJob } from './purge-guests.job.js';
import { PurgeRefreshTokensJob } from './purge-refresh-tokens.job.js';
import { PurgeRepository } from './purge.repository.js';
import { PurgeRevocationsJob } from './purge-revocations.job.js';
import { PurgeSessionsJob } from './purge-sessions.job.js';
import { GUEST_PROVIDER, type Session } from '../session.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
/** 7200 seconds, and a step of a minute. */
const IDLE = 2 * HOUR + MINUTE;

describeOnEachDatabase('purging', (kind) => {
  let open: TestStores;
  /** As another process would be connected. */
  let beside: TestStores;
  let rows: Rows;
  let refresh: RefreshRows;
  let applicationId: number;
  let userId: number;

  let purgeSessions: PurgeSessionsJob;
  let purgeRefreshTokens: PurgeRefreshTokensJob;
  let purgeGuests: PurgeGuestsJob;
  let purgeRevocations: PurgeRevocationsJob;

  beforeAll(async () => {
    open = await TestStores.open(kind);
    beside = await TestStores.open(kind, { database: open.database });
  });
  afterAll(async () => {
    await beside.close();
    await open.close();
  });
  beforeEach(async () => {
    await sql('DELETE FROM applications');
    await sql('DELETE FROM revocations');
    rows = new Rows(open);
    refresh = new RefreshRows(open);
    const directory = new ApplicationDirectory(rows.applications, rows.clock);
    const purge = new PurgeRepository(open.transactions);
    const over = new OverSessions(purge, directory);
    const accounts = new AccountsService(
      rows.users,
      open.transactions,
      new DomainEvents(),
      new AuditLog(new AuditEntryRepository(open.transactions), open.transactions, rows.clock),
    );
    purgeSessions = new PurgeSessionsJob(purge, over, rows.clock);
    purgeRefreshTokens = new PurgeRefreshTokensJob(purge, over, rows.clock);
    purgeGuests = new PurgeGuestsJob(accounts, directory, purge, over, rows.clock);
    purgeRevocations = new PurgeRevocationsJob(purge);
    applicationId = (await rows.anApplication()).id;
    userId = (await rows.aUser(applicationId)).id;
  });

  const sql = <Row>(statement: string, values: Record<string, unknown> = {}, on = open) =>
    on.transactions.run(() => on.transactions.query<Row>(statement, values));
  const set = (settings: Record<string, unknown>) =>
    rows.run(() => rows.applications.saveSettings(applicationId, settings));
  const count = async (table: string) =>
    Number((await sql<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]!.n);
  const isThere = async ({ tokenHash }: Session) => (await rows.sessions.findByTokenHash(tokenHash)) !== null;
  const aSession = (facts: Partial<Session> = {}) => rows.aSession(applicationId, userId, facts);
  /** What is left of it a millisecond before the instant, and at it. */
  const around = async (
    job: PurgeSessionsJob | PurgeGuestsJob | PurgeRefreshTokensJob,
    afterMilliseconds: number,
    isLeft: () => Promise<boolean>,
  ) => {
    rows.clock.advance({ milliseconds: afterMilliseconds - 1 });
    await runPass(open.transactions, job);
    const before = await isLeft();
    rows.clock.advance({ milliseconds: 1 });
    await runPass(open.transactions, job);
    return [before, await isLeft()];
  };
  const STAYS_THEN_GOES = [true, false];

  describe(PurgeSessionsJob.name, () => {
    const end = (session: Session) =>
      rows.run(() => rows.sessions.end(session.id, 'ended', rows.clock.now()));
    const revivable = (session: Session) => refresh.aToken(session.id);

    it.each<[string, Partial<Session>, ((session: Session) => Promise<unknown>) | null, number]>([
      ['ended by somebody', {}, end, DAY],
      ['idle past its limit', {}, null, IDLE + DAY],
      ['past its absolute end', { idleSeconds: null }, null, DAY + DAY],
      ['idle and revivable until its absolute end', {}, revivable, DAY + DAY],
      ['idle and revivable, without an absolute end', { absoluteExpiresAt: null }, revivable, 30 * DAY + DAY],
      [
        'idle, with refresh tokens that were all used',
        {},
        (session) => refresh.aUsedToken(session.id),
        IDLE + DAY,
      ],
      [
        'ended by somebody, though it has a refresh token',
        {},
        async (session) => {
          await revivable(session);
          await end(session);
        },
        DAY,
      ],
      [
        'below the mark of its application',
        { idleSeconds: null, absoluteExpiresAt: null },
        (session) => rows.run(() => rows.applications.endSessionsUpTo(session.applicationId, session.id)),
        DAY,
      ],
      [
        'idle by a limit that was tightened',
        { idleSeconds: 72_000 },
        () => set({ session_idle_seconds: 60 }),
        60_600 + DAY,
      ],
      [
        'past an absolute end that was tightened',
        { idleSeconds: null },
        () => set({ session_absolute_seconds: 60 }),
        MINUTE + DAY,
      ],
    ])('removes a session %s a day after, and not before', async (_is, facts, arrange, after) => {
      const session = await aSession({ absoluteExpiresAt: rows.clock.now() + DAY, ...facts });
      await arrange?.(session);
      expect(await around(purgeSessions, after, () => isThere(session))).toEqual(STAYS_THEN_GOES);
    });

    it('keeps a session without limits, however long ago it was used', async () => {
      const session = await aSession({ idleSeconds: null, absoluteExpiresAt: null });
      await set({ session_absolute_seconds: 1, session_idle_seconds: 1 });
      rows.clock.advance({ days: 3000 });
      await runPass(open.transactions, purgeSessions);
      expect(await isThere(session)).toBe(true);
    });

    it('removes refresh tokens with their session, and logs the removal of one that nobody had ended', async () => {
      const session = await aSession();
      await refresh.aUsedToken(session.id);
      rows.clock.advance({ days: 3 });
      await runPass(open.transactions, purgeSessions);
      expect([await count('sessions'), await count('refresh_tokens')]).toEqual([0, 0]);
      expect(await sql('SELECT token_hash FROM revocations')).toEqual([{ token_hash: session.tokenHash }]);
    });

    it('works in batches and looks at every session once', async () => {
      await rows.run(async () => {
        for (let i = 0; i < 450; i += 1) await aSession({ idleSeconds: i % 3 === 0 ? null : 1 });
      });
      await sql('UPDATE sessions SET absolute_expires_at = NULL');
      rows.clock.advance({ days: 2 });
      const batches = await runPass(open.transactions, purgeSessions);
      expect(batches).toHaveLength(3);
      expect(await count('sessions')).toBe(150);
      expect(Math.max(...batches)).toBeLessThanOrEqual(200);
    });

    it('removes a large family of refresh tokens in pieces', async () => {
      const session = await aSession();
      const values = Array.from({ length: 1000 }, (_, i) => `('h${i}', 'a${i}', ${session.id}, 0, 1)`);
      await sql(
        `INSERT INTO refresh_tokens (token_hash, access_token_hash, session_id, created_at, used_at)
         VALUES ${values.join(', ')}`,
      );
      rows.clock.advance({ days: 60 });
      expect(await runPass(open.transactions, purgeSessions)).toEqual([400, 400, 201]);
      expect([await count('sessions'), await count('refresh_tokens')]).toEqual([0, 0]);
    });
  });

  describe(PurgeRefreshTokensJob.name, () => {
    it('removes the tokens of an ended session at once, used ones and the live one', async () => {
      const ended = await aSession();
      const living = await aSession();
      for (const { id } of [ended, living]) await refresh.aUsedToken(id);
      await refresh.aToken(ended.id);
      const live = await refresh.aToken(living.id);
      await rows.run(() => rows.sessions.end(ended.id, 'ended', rows.clock.now()));
      await runPass(open.transactions, purgeRefreshTokens);
      expect(await refresh.hashes()).toHaveLength(2);
      expect(await refresh.hashes()).toContain(live);
      expect(await isThere(ended)).toBe(true);
    });

    it('removes them at the absolute end, and keeps those of an idle session until then', async () => {
      const { id } = await aSession({ absoluteExpiresAt: rows.clock.now() + DAY });
      await refresh.aUsedToken(id);
      await refresh.aToken(id);
      const left = async () => (await refresh.hashes()).length === 2;
      expect(await around(purgeRefreshTokens, DAY, left)).toEqual(STAYS_THEN_GOES);
      expect(await refresh.hashes()).toEqual([]);
    });

    it('works in batches', async () => {
      const sessions = [await aSession(), await aSession({ idleSeconds: null, absoluteExpiresAt: null })];
      await rows.run(async () => {
        for (let i = 0; i < 450; i += 1) await refresh.aUsedToken(sessions[i % 2]!.id);
      });
      rows.clock.advance({ days: 60 });
      const batches = await runPass(open.transactions, purgeRefreshTokens);
      expect(batches).toHaveLength(3);
      expect(batches.reduce((sum, done) => sum + done)).toBe(225);
    });
  });

  describe(PurgeGuestsJob.name, () => {
    const aGuest = () =>
      rows.run(() =>
        rows.users.insert({ applicationId, identifiers: [], profile: {}, passwordHash: null, guest: true }),
      );
    const guestIsLeft = (id: number) => async () => (await rows.users.find(applicationId, id)) !== null;
    const guestSession = (guestId: number, facts: Partial<Session> = {}) =>
      rows.aSession(applicationId, guestId, {
        provider: GUEST_PROVIDER,
        idleSeconds: 30 * 86_400,
        absoluteExpiresAt: null,
        ...facts,
      });
    const GUEST_END = 30 * DAY + HOUR;

    it('removes a guest without a session an hour after guest_idle_days, and not before', async () => {
      const { id } = await aGuest();
      expect(await around(purgeGuests, GUEST_END, guestIsLeft(id))).toEqual(STAYS_THEN_GOES);
    });

    it('counts from the last request', async () => {
      const { id } = await aGuest();
      rows.clock.advance({ days: 10 });
      await rows.run(() => rows.users.noteActivity([{ userId: id, at: rows.clock.now() }]));
      expect(await around(purgeGuests, GUEST_END, guestIsLeft(id))).toEqual(STAYS_THEN_GOES);
    });

    it('follows a guest_idle_days that was tightened', async () => {
      const { id } = await aGuest();
      await guestSession(id);
      await set({ guest_idle_days: 1 });
      expect(await around(purgeGuests, DAY + HOUR, guestIsLeft(id))).toEqual(STAYS_THEN_GOES);
    });

    it('removes a guest whose session is over, with that session', async () => {
      const { id } = await aGuest();
      const session = await guestSession(id);
      rows.clock.advance({ days: 31 });
      await runPass(open.transactions, purgeGuests);
      expect(await guestIsLeft(id)()).toBe(false);
      expect(await isThere(session)).toBe(false);
    });

    it.each<[string, (guestId: number) => Promise<unknown>]>([
      [
        'a session that was used just now',
        (id) => guestSession(id, { lastUsedAt: rows.clock.now() + 40 * DAY }),
      ],
      ['a session without limits', (id) => guestSession(id, { idleSeconds: null })],
      [
        'an idle session that a refresh revives',
        async (id) => {
          const session = await guestSession(id, {
            idleSeconds: 60,
            absoluteExpiresAt: rows.clock.now() + 90 * DAY,
          });
          await refresh.aToken(session.id);
        },
      ],
      [
        'a refresh token, even of a session that is over',
        async (id) => {
          const session = await guestSession(id);
          await refresh.aToken(session.id);
          await rows.run(() => rows.sessions.end(session.id, 'ended', 1));
        },
      ],
      ['a password', (id) => rows.run(() => rows.users.setPassword(id, 1, 'phc', []))],
    ])('keeps a guest who has %s', async (_what, arrange) => {
      const { id } = await aGuest();
      await arrange(id);
      rows.clock.advance({ days: 40 });
      await runPass(open.transactions, purgeGuests);
      expect(await guestIsLeft(id)()).toBe(true);
    });

    it('never touches a user who is no guest', async () => {
      rows.clock.advance({ days: 4000 });
      await runPass(open.transactions, purgeGuests);
      expect(await guestIsLeft(userId)()).toBe(true);
    });

    it('works in batches of users, however few of them are guests', async () => {
      const guests: number[] = [];
      await rows.run(async () => {
        for (let i = 0; i < 401; i += 1) {
          if (i % 100 === 0) guests.push((await aGuest()).id);
          else await rows.aUser(applicationId);
        }
      });
      rows.clock.advance({ days: 40 });
      expect(await runPass(open.transactions, purgeGuests)).toEqual([2, 2, 1]);
      expect(await count('users')).toBe(397);
      expect(guests).toHaveLength(5);
    });
  });

  describe(PurgeRevocationsJob.name, () => {
    const log = async (ageMilliseconds: number, times = 1) => {
      await sql(
        `INSERT INTO revocations (token_hash, transaction_id, created_at)
         SELECT 'hash', 0, ${kind === 'postgres' ? '(extract(epoch FROM clock_timestamp()) * 1000)::bigint' : `CAST(unixepoch('subsec') * 1000 AS INTEGER)`} - :age
         FROM ${kind === 'postgres' ? 'generate_series(1, :times::int)' : '(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :times) SELECT i FROM n)'} AS series`,
        { age: ageMilliseconds, times },
      );
    };

    it('removes what is older than an hour by the clock of the database, whatever ours says', async () => {
      await log(HOUR + 1);
      await log(HOUR - MINUTE);
      rows.clock.advance({ days: 40_000 });
      await runPass(open.transactions, purgeRevocations);
      expect(await count('revocations')).toBe(1);
    });

    it('works in batches', async () => {
      await log(2 * HOUR, 900);
      expect(await runPass(open.transactions, purgeRevocations)).toEqual([400, 400, 100]);
      expect(await count('revocations')).toBe(0);
    });
  });

  if (kind === 'postgres') {
    describe('beside others on PostgreSQL', () => {
      /** Holds a transaction of another process open after `work`, while `meanwhile` runs. */
      const during = async (work: () => Promise<unknown>, meanwhile: () => Promise<unknown>) => {
        let done: () => void = () => undefined;
        const finished = new Promise<void>((resolve) => (done = resolve));
        let begun: () => void = () => undefined;
        const started = new Promise<void>((resolve) => (begun = resolve));
        const other = beside.transactions.run(async () => {
          await work();
          begun();
          await finished;
        });
        await Promise.race([started, other]);
        try {
          await meanwhile();
        } finally {
          done();
        }
        await other;
      };
      const there = <Row>(statement: string, values: Record<string, unknown>) =>
        beside.transactions.query<Row>(statement, values);

      it('leaves a session that is being refreshed at this moment, without waiting for it', async () => {
        const session = await aSession();
        rows.clock.advance({ days: 3 });
        await during(
          () => there('SELECT 1 FROM sessions WHERE id = :id FOR UPDATE', { id: session.id }),
          async () => {
            expect(await runPass(open.transactions, purgeSessions)).toEqual([0]);
            expect(await isThere(session)).toBe(true);
          },
        );
        expect(await runPass(open.transactions, purgeSessions)).toEqual([1]);
      });

      it('judges again under the lock: a session that came back since it was read stays', async () => {
        const session = await aSession({ absoluteExpiresAt: null });
        rows.clock.advance({ days: 3 });
        const purge = new PurgeRepository(open.transactions);
        const directory = new ApplicationDirectory(rows.applications, rows.clock);
        const over = new OverSessions(purge, directory);
        const kept = await open.transactions.run(async () => {
          const page = await purge.sessionsAfter(0, 10);
          await sql(
            'UPDATE sessions SET last_used_at = :now WHERE id = :id',
            { now: rows.clock.now(), id: session.id },
            beside,
          );
          return over.lockAmong(page, rows.clock.now());
        });
        expect(kept).toEqual([]);
      });

      it('keeps a guest for whom a session begins, or who is given a password, at this moment', async () => {
        const insertGuest = () =>
          rows.run(() =>
            rows.users.insert({
              applicationId,
              identifiers: [],
              profile: {},
              passwordHash: null,
              guest: true,
            }),
          );
        const beginning = await insertGuest();
        const upgrading = await insertGuest();
        rows.clock.advance({ days: 40 });
        await during(
          async () => {
            await there('SELECT 1 FROM users WHERE id = :id FOR SHARE', { id: beginning.id });
            await there('UPDATE users SET guest = false, password_hash = :hash WHERE id = :id', {
              hash: 'phc',
              id: upgrading.id,
            });
          },
          async () => {
            expect(await runPass(open.transactions, purgeGuests)).toEqual([0]);
          },
        );
        expect(await runPass(open.transactions, purgeGuests)).toEqual([1]);
        expect(await rows.users.find(applicationId, upgrading.id)).not.toBeNull();
      });

      it('lets uses of living sessions be recorded while it works', async () => {
        const living = await aSession({ idleSeconds: null, absoluteExpiresAt: null });
        const dead = await aSession();
        rows.clock.advance({ days: 3 });
        await open.transactions.run(async () => {
          await purgeSessions.runBatch(null);
          await sql('UPDATE sessions SET last_used_at = 5 WHERE id = :id', { id: living.id }, beside);
        });
        expect([await isThere(living), await isThere(dead)]).toEqual([true, false]);
      });

      it('ends without a deadlock beside many uses and ends of the same sessions', async () => {
        const sessions: Session[] = [];
        await rows.run(async () => {
          for (let i = 0; i < 300; i += 1)
            sessions.push(await aSession({ idleSeconds: i % 2 ? 1 : null, absoluteExpiresAt: null }));
        });
        rows.clock.advance({ days: 3 });
        const touching = beside.transactions;
        const others = (async () => {
          for (let round = 0; round < 5; round += 1) {
            const pairs = sessions.map(({ id }) => ({ id, at: 10 + round }));
            await touching.run(() =>
              touching.query(
                `UPDATE sessions SET created_at = v.at FROM (SELECT (value->>'id')::bigint AS id, (value->>'at')::bigint AS at
                 FROM jsonb_array_elements(:pairs::jsonb)) v WHERE sessions.id = v.id`,
                { pairs: JSON.stringify(pairs.reverse()) },
              ),
            );
          }
        })();
        await runPass(open.transactions, purgeSessions);
        await others;
        await runPass(open.transactions, purgeSessions);
        expect(await count('sessions')).toBe(150);
      });
    });
  }
});
