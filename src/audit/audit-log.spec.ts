import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { TestStores } from '../../test/support/test-stores.js';
import { identifyActor, runAs, runInRequest } from '../observability/request-context.js';
import type { AuditEvent, AuditQuery } from './audit-entry.js';
import { AuditEntryRepository } from './audit-entry.repository.js';
import { AuditLog } from './audit-log.js';

const DAY = 24 * 60 * 60 * 1000;

describeOnEachDatabase('AuditLog', (kind) => {
  let open: TestStores;
  let audit: AuditLog;
  let clock: ManualClock;

  beforeEach(async () => {
    open = await TestStores.open(kind);
    clock = new ManualClock();
    audit = new AuditLog(new AuditEntryRepository(open.transactions), open.transactions, clock);
  });
  afterEach(() => open.close());

  const anEvent = (event: Partial<AuditEvent> = {}): AuditEvent => ({ act: 'user.created', ...event });
  const all = () => audit.read({ limit: 1000 });
  const idsOf = async (query: Partial<AuditQuery>) =>
    (await audit.read({ limit: 1000, ...query })).map(({ id }) => id);
  const run = (sql: string) => open.transactions.run(() => open.transactions.query(sql));

  it('keeps what happened, with nothing where nothing was said', async () => {
    await audit.record(anEvent());
    expect(await all()).toEqual([
      {
        id: 1,
        at: clock.now(),
        actor: { kind: 'system', id: null },
        act: 'user.created',
        applicationId: null,
        userId: null,
        sessionId: null,
        address: null,
        requestId: null,
        outcome: 'done',
        reason: null,
        details: {},
      },
    ]);
  });

  it('keeps everything that was said', async () => {
    const said = {
      act: 'sign_in',
      applicationId: 2,
      userId: 3,
      sessionId: 2 ** 40,
      outcome: 'refused',
      reason: 'wrong_password',
      details: { settings: ['guests', 'faces'], count: 2, guest: true, provider: 'password' },
      actor: { kind: 'application', id: '2' },
    } as const;
    await audit.record(said);
    expect((await all())[0]).toMatchObject(said);
  });

  it('writes no detail whose name is not on the list', async () => {
    const spread = { role: 'viewer', password: 'hunter2', token: 'osta_x' };
    await audit.record(anEvent({ details: spread }));
    expect((await all())[0]!.details).toEqual({ role: 'viewer' });
  });

  describe('knows who acts', () => {
    it('from the command line that the act is part of', async () => {
      await runAs({ kind: 'command_line', id: 'root' }, () => audit.record(anEvent()));
      expect((await all())[0]).toMatchObject({ actor: { kind: 'command_line', id: 'root' }, address: null });
    });

    it('from the request that the act is part of, once a guard has said who sent it', async () => {
      const request = { id: 'r-1', address: '192.0.2.7' };
      await new Promise<void>((resolve, reject) => {
        const leave = runInRequest(request, () => {
          const acts = async () => {
            await audit.record(anEvent());
            identifyActor('user', 7);
            await open.transactions.run(() => audit.record(anEvent()));
          };
          acts()
            .finally(() => leave())
            .then(resolve, reject);
        });
      });
      expect(await all()).toMatchObject([
        { actor: { kind: 'client', id: null }, address: '192.0.2.7', requestId: 'r-1' },
        { actor: { kind: 'user', id: '7' }, address: '192.0.2.7', requestId: 'r-1' },
      ]);
    });
  });

  describe('beside the act', () => {
    const insertKey = () =>
      run(`INSERT INTO admin_keys (role, key_hash, created_at) VALUES ('viewer', 'x', 0)`);
    const countKeys = () => open.transactions.query('SELECT id FROM admin_keys').then((rows) => rows.length);

    it('has no entry of an act that was rolled back', async () => {
      const act = open.transactions.run(async () => {
        await audit.record(anEvent());
        throw new Error('changed my mind');
      });
      await expect(act).rejects.toThrow('changed my mind');
      expect(await all()).toEqual([]);
    });

    it('undoes an act whose entry cannot be written', async () => {
      const act = open.transactions.run(async () => {
        await insertKey();
        await audit.record(anEvent({ act: null as never }));
      });
      await expect(act).rejects.toThrow();
      expect(await countKeys()).toBe(0);
    });
  });

  it('has entries that the database lets nobody change', async () => {
    await audit.record(anEvent({ outcome: 'refused' }));
    await expect(run(`UPDATE audit_entries SET outcome = 'done'`)).rejects.toThrow(/not changed/);
    expect((await all())[0]!.outcome).toBe('refused');
  });

  describe('reads', () => {
    beforeEach(async () => {
      // Ids 1 to 6, an hour apart, of the applications 1, 2, 1, 2, 1, 2.
      for (let i = 0; i < 6; i += 1) {
        await audit.record(anEvent({ applicationId: 1 + (i % 2) }));
        clock.advance({ hours: 1 });
      }
    });
    const start = () => clock.now() - 6 * 60 * 60 * 1000;
    const hours = (count: number) => start() + count * 60 * 60 * 1000;

    it('the oldest first, so many at most, and goes on after one', async () => {
      expect(await idsOf({ limit: 2 })).toEqual([1, 2]);
      expect(await idsOf({ limit: 2, afterId: 2 })).toEqual([3, 4]);
      expect(await idsOf({ afterId: 6 })).toEqual([]);
    });

    it('those of one application', async () => {
      expect(await idsOf({ applicationId: 2 })).toEqual([2, 4, 6]);
      expect(await idsOf({ applicationId: 2, afterId: 2, limit: 1 })).toEqual([4]);
    });

    it('those from an instant on, and before another', async () => {
      expect(await idsOf({ since: hours(2) })).toEqual([3, 4, 5, 6]);
      expect(await idsOf({ until: hours(2) })).toEqual([1, 2]);
      expect(await idsOf({ since: hours(1), until: hours(4), applicationId: 2 })).toEqual([2, 4]);
      expect(await idsOf({ since: hours(9) })).toEqual([]);
    });

    it('in the order of their time, though the clocks of two processes are not the same', async () => {
      const [from, to] = [hours(2), hours(3)];
      clock.advance({ hours: -3.5 });
      await audit.record(anEvent());
      expect(await idsOf({})).toEqual([1, 2, 3, 7, 4, 5, 6]);
      expect(await idsOf({ afterId: 3, limit: 2 })).toEqual([7, 4]);
      expect(await idsOf({ since: from, until: to })).toEqual([3, 7]);
    });

    it('on after an entry that was purged meanwhile', async () => {
      await run('DELETE FROM audit_entries WHERE id <= 3');
      expect(await idsOf({ afterId: 2, limit: 2 })).toEqual([4, 5]);
    });

    it.each([{}, { applicationId: 2 }])('by an index, with %j', async (filter) => {
      const queries = jest.spyOn(open.transactions, 'query');
      await audit.read({ limit: 10, afterId: 2, since: 0, until: clock.now(), ...filter });
      const [sql, parameters] = queries.mock.calls[0]!;
      queries.mockRestore();
      const plan = await open.transactions.run(async () => {
        // A table of a few rows is quicker to read whole, and the planner knows it.
        if (kind === 'postgres') await open.transactions.query('SET LOCAL enable_seqscan = off');
        const explain = kind === 'postgres' ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN';
        return JSON.stringify(await open.transactions.query(`${explain} ${sql}`, parameters));
      });
      expect(plan).toMatch(/audit_entries_by_(time|application)/);
      expect(plan).not.toMatch(/sort|temp b-tree/i);
    });
  });

  describe('purges', () => {
    beforeEach(async () => {
      for (let i = 0; i < 5; i += 1) {
        await audit.record(anEvent());
        clock.advance({ days: 1 });
      }
    });

    it('the oldest first, so many at most, and says so in an entry', async () => {
      expect(await audit.purge(clock.now() - 1.5 * DAY, 3)).toBe(3);
      const left = await all();
      expect(left.map(({ id, act }) => [id, act])).toEqual([
        [4, 'user.created'],
        [5, 'user.created'],
        [6, 'audit.purged'],
      ]);
      expect(left[2]).toMatchObject({ actor: { kind: 'system' }, details: { count: 3 } });
      expect(await audit.purge(clock.now() - 1.5 * DAY, 3)).toBe(1);
    });

    it('nothing that is young, and leaves no entry then', async () => {
      expect(await audit.purge(clock.now() - 6 * DAY, 100)).toBe(0);
      expect(await idsOf({})).toEqual([1, 2, 3, 4, 5]);
    });
  });

  it('numbers no two entries alike, though the last was purged', async () => {
    await audit.record(anEvent());
    await audit.purge(clock.now() + 1, 10);
    await audit.record(anEvent());
    expect(await idsOf({})).toEqual([2, 3]);
  });
});
