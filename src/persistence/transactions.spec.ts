import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { TestStores } from '../../test/support/test-stores.js';
import { currentActor, runAs } from '../observability/request-context.js';
import type { Transactions } from './transactions.js';
import { isStoreAway, isUniqueViolation } from './store-errors.js';

describeOnEachDatabase('Transactions', (kind) => {
  let first: TestStores;
  let second: TestStores;
  let transactions: Transactions;

  const add = (key: string, through = transactions) =>
    through.query(
      `INSERT INTO throttle_counters (key, count, window_ends_at, paused_until) VALUES (:key, 1, 0, 0)`,
      { key },
    );
  const keys = async () => {
    const rows = await transactions.query<{ key: string }>('SELECT key FROM throttle_counters ORDER BY key');
    return rows.map((row) => row.key);
  };

  beforeAll(async () => {
    // Six hundred at once wait for their turn, and how long that takes is the machine's affair.
    first = await TestStores.open(kind, { waitMilliseconds: 60_000 });
    second = await TestStores.open(kind, { database: first.database, waitMilliseconds: 60_000 });
    transactions = first.transactions;
  });
  afterAll(async () => {
    await second.close();
    await first.close();
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  beforeEach(() => transactions.run(() => transactions.query('DELETE FROM throttle_counters')));

  it('commits what the work wrote and returns what it returned', async () => {
    const result = await transactions.run(async () => {
      await add('a');
      return 42;
    });
    expect(result).toBe(42);
    expect(await keys()).toEqual(['a']);
  });

  it('writes nothing when the work throws, and rethrows', async () => {
    const work = transactions.run(async () => {
      await add('a');
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await keys()).toEqual([]);
  });

  const addAtCommit = (key: string) =>
    transactions.queryAtCommit(
      `INSERT INTO throttle_counters (key, count, window_ends_at, paused_until) VALUES (:key, 1, 0, 0)`,
      { key },
    );

  it('writes what may wait for the end of the work together with the rest', async () => {
    await transactions.run(async () => {
      await addAtCommit('b');
      await add('a');
    });
    expect(await keys()).toEqual(['a', 'b']);
  });

  it('writes nothing when what waited for the end of the work fails, and says so', async () => {
    const committed: string[] = [];
    const work = transactions.run(async () => {
      transactions.afterCommit(() => committed.push('hook'));
      await addAtCommit('a');
      await addAtCommit('a');
      await add('b');
    });
    expect(isUniqueViolation(await work.catch((error: unknown) => error))).toBe(true);
    expect(await keys()).toEqual([]);
    expect(committed).toEqual([]);
    // The connection is as good as before.
    await transactions.run(() => add('c'));
    expect(await keys()).toEqual(['c']);
  });

  it('leaves out what waited for the end of work that throws', async () => {
    const work = transactions.run(async () => {
      await addAtCommit('a');
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await keys()).toEqual([]);
  });

  it('takes a transaction without a statement for what it is', async () => {
    expect(await transactions.run(() => Promise.resolve(1))).toBe(1);
    await expect(transactions.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await add('a').catch(() => undefined);
    const ofNoTransaction = kind === 'postgres' ? ['a'] : [];
    expect(await keys()).toEqual(ofNoTransaction);
  });

  it('has all statements of a transaction in it, those asked for at once too', async () => {
    const work = transactions.run(async () => {
      await Promise.all(['a', 'b', 'c'].map((key) => add(key)));
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await keys()).toEqual([]);
  });

  it('commits what need not survive a power cut, and waits for the disk again afterwards', async () => {
    const durability = async (run: (work: () => Promise<unknown>) => Promise<unknown>) => {
      let found: unknown;
      await run(async () => {
        const [row] = await transactions.query<object>(
          kind === 'postgres' ? 'SHOW synchronous_commit' : 'PRAGMA synchronous',
        );
        found = Object.values(row!)[0];
      });
      return found;
    };
    const synced = kind === 'postgres' ? 'on' : 2;
    const unsynced = kind === 'postgres' ? 'off' : 1;
    expect(await durability((work) => transactions.runUnsynced(work))).toBe(unsynced);
    expect(await durability((work) => transactions.run(work))).toBe(synced);
    await transactions.runUnsynced(() => add('a'));
    expect(await keys()).toEqual(['a']);
  });

  it('lets a nested call join the outer transaction', async () => {
    const work = transactions.run(async () => {
      await transactions.run(() => add('inner'));
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await keys()).toEqual([]);
  });

  it('keeps uncommitted rows from readers outside the transaction', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let announce = () => {};
    const written = new Promise<void>((resolve) => (announce = resolve));
    const writing = transactions.run(async () => {
      await add('a');
      announce();
      await held;
    });
    await written;
    expect(await keys()).toEqual([]);
    release();
    await writing;
    expect(await keys()).toEqual(['a']);
  });

  it('lets twenty concurrent transactions of one process all commit', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => transactions.run(() => add(`k${String(i).padStart(2, '0')}`))),
    );
    expect(await keys()).toHaveLength(20);
  });

  it('loses none of six hundred read-then-write transactions that two processes run on one counter', async () => {
    await transactions.run(() => add('counter'));
    const increment = ({ transactions: through }: TestStores) =>
      through.run(async () => {
        const lock = kind === 'postgres' ? 'FOR UPDATE' : '';
        const [row] = await through.query<{ count: number }>(
          `SELECT count FROM throttle_counters WHERE key = 'counter' ${lock}`,
        );
        await through.query(`UPDATE throttle_counters SET count = :next WHERE key = 'counter'`, {
          next: row!.count + 1,
        });
      });
    await Promise.all(Array.from({ length: 600 }, (_, i) => increment(i % 2 === 0 ? first : second)));
    const [row] = await transactions.query<{ count: number }>('SELECT count FROM throttle_counters');
    expect(row!.count).toBe(601);
  });

  it('runs each of several at once in the context of whoever asked for it', async () => {
    const actor = (id: string) => ({ kind: 'user' as const, id });
    const seen = await Promise.all(
      ['a', 'b', 'c'].map((id) =>
        runAs(actor(id), () =>
          transactions.run(async () => {
            await add(id);
            return currentActor().id;
          }),
        ),
      ),
    );
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('commits those that succeed beside one that fails, and leaves nothing of that one', async () => {
    const outcomes = await Promise.allSettled(
      ['a', 'b', 'c'].map((key) =>
        transactions.run(async () => {
          await add(key);
          if (key === 'b') throw new Error('no');
        }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await keys()).toEqual(['a', 'c']);
  });

  it('goes on after one that broke a rule of the database beside others', async () => {
    await transactions.run(() => add('taken'));
    const outcomes = await Promise.allSettled(
      ['a', 'taken', 'c'].map((key) => transactions.run(() => add(key))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await keys()).toEqual(['a', 'c', 'taken']);
  });

  it('runs hooks after the commit, and cache drops after a rollback too', async () => {
    const seen: string[] = [];
    await transactions.run(async () => {
      transactions.afterCommit(() => seen.push('commit'));
      transactions.afterEnd(() => seen.push('end'));
      await add('a');
      expect(seen).toEqual([]);
    });
    const failing = transactions.run(() => {
      transactions.afterCommit(() => seen.push('never'));
      transactions.afterEnd(() => seen.push('end of failure'));
      return Promise.reject(new Error('no'));
    });
    await expect(failing).rejects.toThrow('no');
    expect(seen).toEqual(['end', 'commit', 'end of failure']);
  });

  it('binds parameters by name, each as often as it is used', async () => {
    const rows = await transactions.query<{ total: number }>(
      'SELECT CAST(:a AS integer) + CAST(:b AS integer) + CAST(:a AS integer) AS total',
      {
        a: 1,
        b: 2,
      },
    );
    expect(Number(rows[0]!.total)).toBe(4);
  });

  if (kind === 'sqlite') {
    it('waits for the disk once for those that came together', async () => {
      // A group takes as many as its time allows, which on a busy machine may be one.
      jest.spyOn(performance, 'now').mockReturnValue(performance.now());
      const commits = jest.spyOn(first.stores.writer.createQueryRunner(), 'query');
      await Promise.all(['a', 'b', 'c'].map((key) => transactions.run(() => add(key))));
      expect(commits.mock.calls.filter(([sql]) => sql === 'COMMIT')).toHaveLength(1);
    });

    it('answers none of a group whose commit failed, and carries on with the next', async () => {
      jest.spyOn(performance, 'now').mockReturnValue(performance.now());
      const runner = first.stores.writer.createQueryRunner();
      const query = runner.query.bind(runner);
      const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
      const failing = jest.spyOn(runner, 'query').mockImplementation(async (sql, ...rest) => {
        if (sql !== 'COMMIT') return (await query(sql, ...rest)) as never;
        await query('ROLLBACK');
        throw full;
      });
      const ended: string[] = [];
      const outcomes = await Promise.allSettled(
        ['a', 'b'].map((key) =>
          transactions.run(async () => {
            transactions.afterEnd(() => ended.push(key));
            transactions.afterCommit(() => ended.push('never'));
            await add(key);
          }),
        ),
      );
      failing.mockRestore();
      expect(outcomes).toEqual([
        { status: 'rejected', reason: full },
        { status: 'rejected', reason: full },
      ]);
      expect([ended, await keys()]).toEqual([['a', 'b'], []]);
      await transactions.run(() => add('c'));
      expect(await keys()).toEqual(['c']);
    });

    it('refuses work whose turn comes too late, without beginning it', async () => {
      const impatient = await TestStores.open(kind, { database: first.database, waitMilliseconds: -1 });
      let begun = false;
      const late = impatient.transactions.run(() => {
        begun = true;
        return Promise.resolve();
      });
      await expect(late).rejects.toMatchObject({ code: 'store_unavailable' });
      expect(begun).toBe(false);
      await impatient.close();
    });

    it('refuses a write outside a transaction', async () => {
      await expect(add('a')).rejects.toThrow(/readonly/);
    });

    it('gives up as "store away" when another process holds the write lock for too long', async () => {
      const impatient = await TestStores.open(kind, { database: first.database, waitMilliseconds: 50 });
      const refused = transactions.run(async () => {
        await add('held');
        return impatient.transactions
          .run(() => add('b', impatient.transactions))
          .catch((error: unknown) => error);
      });
      expect(isStoreAway(await refused)).toBe(true);
      await impatient.close();
    });
  }

  if (kind === 'postgres') {
    it('begins a transaction anew when PostgreSQL chose it as the victim of a deadlock', async () => {
      await transactions.run(async () => {
        await add('a');
        await add('b');
      });
      const lock = (key: string) =>
        transactions.query(`UPDATE throttle_counters SET count = count + 1 WHERE key = :key`, { key });
      let arrivals = 0;
      let bothHold = () => {};
      const meeting = new Promise<void>((resolve) => (bothHold = resolve));
      const crossing = (mine: string, yours: string) =>
        transactions.run(async () => {
          await lock(mine);
          arrivals += 1;
          if (arrivals >= 2) bothHold();
          await meeting;
          await lock(yours);
        });
      await Promise.all([crossing('a', 'b'), crossing('b', 'a')]);
      const rows = await transactions.query<{ count: number }>('SELECT count FROM throttle_counters');
      expect(rows.map((row) => row.count)).toEqual([3, 3]);
      expect(arrivals).toBeGreaterThan(2);
    });
  }
});
