import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { JobProcess } from '../../test/support/job-process.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { TestStores } from '../../test/support/test-stores.js';
import { Transactions } from '../persistence/transactions.js';
import { LEASE_MILLISECONDS } from './job-lease.js';
import type { Job } from './job.js';

const HOUR = 3600;

/** Adds 1 to a counter in each of so many batches; the cursor is how many there were. */
class CountingJob implements Job {
  readonly everySeconds = HOUR;
  readonly cursors: (string | null)[] = [];

  constructor(
    private readonly transactions: Transactions,
    private readonly batches: number,
    private readonly before: (batch: number) => Promise<void> | void = () => undefined,
    readonly name = 'count',
  ) {}

  async runBatch(cursor: string | null) {
    this.cursors.push(cursor);
    const batch = Number(cursor ?? 0) + 1;
    await this.transactions.query(
      `INSERT INTO throttle_counters (key, count, window_ends_at, paused_until) VALUES (:key, 1, 0, 0)
       ON CONFLICT (key) DO UPDATE SET count = throttle_counters.count + 1`,
      { key: `${this.name}-${batch}` },
    );
    await this.before(batch);
    return { done: 10, nextCursor: batch < this.batches ? String(batch) : null };
  }
}

/** Whatever its process does, it stands still before this transaction until the test lets it go on, as after SIGSTOP. */
class StoppedTransactions extends Transactions {
  private untilStop = Infinity;
  private release: () => void = () => undefined;
  private stoppedNow: () => void = () => undefined;
  stopped: Promise<void> = Promise.resolve();

  stopBefore(batch: number): void {
    this.untilStop = batch;
    this.stopped = new Promise((resolve) => (this.stoppedNow = resolve));
  }

  goOn(): void {
    this.release();
  }

  override async runUnsynced<T>(work: () => Promise<T>): Promise<T> {
    this.untilStop -= 1;
    if (this.untilStop === 0) {
      this.stoppedNow();
      await new Promise<void>((resolve) => (this.release = resolve));
    }
    return super.runUnsynced(work);
  }
}

describeOnEachDatabase('JobRunner', (kind) => {
  let first: TestStores;
  let second: TestStores;
  let stoppable: StoppedTransactions;
  let clock: ManualClock;

  beforeAll(async () => {
    first = await TestStores.open(kind);
    second = await TestStores.open(kind, { database: first.database });
  });
  afterAll(async () => {
    await second.close();
    await first.close();
  });
  beforeEach(async () => {
    clock = new ManualClock();
    stoppable = new StoppedTransactions(first.stores, 5000);
    for (const table of ['job_leases', 'throttle_counters']) {
      await first.transactions.run(() => first.transactions.query(`DELETE FROM ${table}`));
    }
  });

  /** How often each batch took effect. */
  const counts = async (name = 'count') => {
    const rows = await first.transactions.query<{ key: string; count: number }>(
      'SELECT key, count FROM throttle_counters ORDER BY key',
    );
    return rows.filter(({ key }) => key.startsWith(name)).map(({ count }) => count);
  };
  const lease = async (process: JobProcess) => (await process.leases.list())[0]!;
  const aProcess = (transactions: Transactions, ...jobs: Job[]) => new JobProcess(transactions, clock, jobs);
  const counting = (transactions: Transactions, before?: (batch: number) => void) =>
    new CountingJob(transactions, 4, before);

  it('does a job that is due, batch after batch, and then not before its next turn', async () => {
    const { runner } = aProcess(first.transactions, counting(first.transactions));
    expect(await runner.runDue()).toEqual([{ job: 'count', outcome: 'done', batches: 4, rows: 40 }]);
    clock.advance({ seconds: HOUR - 1 });
    expect(await runner.runDue()).toEqual([]);
    clock.advance({ seconds: 1 });
    expect(await runner.runDue()).toHaveLength(1);
    expect(await counts()).toEqual([2, 2, 2, 2]);
  });

  it('records when a pass ran, how it ended and what it did', async () => {
    const process = aProcess(first.transactions, counting(first.transactions));
    const now = clock.now();
    await process.runner.runDue();
    expect(await lease(process)).toMatchObject({
      holder: null,
      leaseExpiresAt: null,
      cursor: null,
      rowsDone: 40,
      failures: 0,
      lastStartedAt: now,
      lastFinishedAt: now,
      lastSucceededAt: now,
      lastOutcome: 'done',
      nextRunAt: now + HOUR * 1000,
    });
  });

  it('lets one of two processes do a job, however they come', async () => {
    const processes = [first, second].map(({ transactions }) =>
      aProcess(transactions, counting(transactions)),
    );
    const turns = await Promise.all(processes.map(({ runner }) => runner.runDue()));
    expect(turns.flat().map(({ outcome }) => outcome)).toEqual(['done']);
    expect(await counts()).toEqual([1, 1, 1, 1]);
  });

  it('lets another process do other jobs meanwhile', async () => {
    stoppable.stopBefore(2);
    const here = aProcess(stoppable, counting(stoppable));
    const working = here.runner.runDue();
    await stoppable.stopped;
    const there = aProcess(
      second.transactions,
      counting(second.transactions),
      new CountingJob(second.transactions, 1, undefined, 'other'),
    );
    expect((await there.runner.runDue()).map(({ job }) => job)).toEqual(['other']);
    stoppable.goOn();
    expect((await working)[0]!.outcome).toBe('done');
  });

  it('says of a job asked for by name that another process is at it', async () => {
    stoppable.stopBefore(2);
    const working = aProcess(stoppable, counting(stoppable)).runner.runDue();
    await stoppable.stopped;
    const there = aProcess(second.transactions, counting(second.transactions));
    expect(await there.runner.runNow('count')).toMatchObject({ outcome: 'held', batches: 0 });
    stoppable.goOn();
    await working;
  });

  it('does a job that was asked for by name though it is not due', async () => {
    const { runner } = aProcess(first.transactions, counting(first.transactions));
    await runner.runDue();
    expect(await runner.runNow('count')).toMatchObject({ outcome: 'done', rows: 40 });
    expect(await runner.runNow('nothing')).toBeNull();
  });

  it('takes a lease over once it has run out, and goes on at the cursor; the old holder then writes nothing', async () => {
    stoppable.stopBefore(3);
    const old = aProcess(stoppable, counting(stoppable));
    const working = old.runner.runDue();
    await stoppable.stopped;

    const job = counting(second.transactions);
    const successor = aProcess(second.transactions, job);
    expect(await successor.runner.runDue()).toEqual([]);
    clock.advance({ milliseconds: LEASE_MILLISECONDS });
    expect(await successor.runner.runDue()).toEqual([
      { job: 'count', outcome: 'done', batches: 2, rows: 20 },
    ]);
    expect(job.cursors).toEqual(['2', '3']);

    stoppable.goOn();
    expect(await working).toEqual([{ job: 'count', outcome: 'fenced', batches: 2, rows: 20 }]);
    expect(await counts()).toEqual([1, 1, 1, 1]);
    expect(await old.metric('ostiary_job_batches_total{job="count",outcome="fenced"}')).toBe(1);
    expect((await lease(successor)).rowsDone).toBe(40);
  });

  it('fences the old holder while its successor is still at work, and leaves the lease to that one', async () => {
    stoppable.stopBefore(2);
    const working = aProcess(stoppable, counting(stoppable)).runner.runDue();
    await stoppable.stopped;
    clock.advance({ milliseconds: LEASE_MILLISECONDS });

    const other = new StoppedTransactions(second.stores, 5000);
    other.stopBefore(2);
    const successor = aProcess(other, counting(other));
    const going = successor.runner.runDue();
    await other.stopped;
    const before = await lease(successor);
    stoppable.goOn();
    expect((await working)[0]!.outcome).toBe('fenced');
    expect(await lease(successor)).toEqual(before);
    other.goOn();
    expect((await going)[0]!.outcome).toBe('done');
    expect(await counts()).toEqual([1, 1, 1, 1]);
  });

  it('does not mistake a later lease of the same process for the one it lost', async () => {
    stoppable.stopBefore(2);
    const process = aProcess(stoppable, counting(stoppable));
    const working = process.runner.runDue();
    await stoppable.stopped;
    clock.advance({ milliseconds: LEASE_MILLISECONDS });
    // The turn of the batch that stands still is taken, so the second pass waits behind it with a lease of its own.
    const again = process.runner.runDue();
    while ((await lease(process)).version < 4) await new Promise(setImmediate);
    stoppable.goOn();
    expect((await working)[0]!.outcome).toBe('fenced');
    expect((await again)[0]!.outcome).toBe('done');
    expect(await counts()).toEqual([1, 1, 1, 1]);
  });

  it('loses nothing but the batch under way when its process is killed', async () => {
    const doomed = await TestStores.open(kind, { database: first.database });
    const job = new CountingJob(doomed.transactions, 4, async (batch) => {
      // The connection of a killed process is cut, and what it had not committed is gone.
      if (batch === 3) await doomed.stores.writer.destroy().catch(() => undefined);
    });
    const dying = aProcess(doomed.transactions, job);
    await dying.runner.runDue();
    const successor = aProcess(second.transactions, counting(second.transactions));
    expect(await lease(successor)).toMatchObject({ cursor: '2', rowsDone: 20, lastOutcome: null });
    expect(await successor.runner.runDue()).toEqual([]);
    clock.advance({ milliseconds: LEASE_MILLISECONDS });
    expect((await successor.runner.runDue())[0]).toMatchObject({ outcome: 'done', batches: 2 });
    expect(await counts()).toEqual([1, 1, 1, 1]);
    await doomed.close();
  });

  describe('when a job throws', () => {
    const failing = (failures: number) => {
      let left = failures;
      return new CountingJob(first.transactions, 4, (batch) => {
        if (batch === 3 && left-- > 0) throw new Error('no such luck');
      });
    };

    it('undoes the batch, keeps what was done before, and goes on there later', async () => {
      const job = failing(1);
      const process = aProcess(first.transactions, job);
      expect((await process.runner.runDue())[0]).toMatchObject({ outcome: 'failed', batches: 2 });
      expect(await counts()).toEqual([1, 1]);
      expect(await lease(process)).toMatchObject({
        holder: null,
        cursor: '2',
        failures: 1,
        lastOutcome: 'failed',
        lastSucceededAt: null,
      });
      expect(process.log).toContain('no such luck');
      clock.advance({ seconds: 29 });
      expect(await process.runner.runDue()).toEqual([]);
      clock.advance({ seconds: 1 });
      expect((await process.runner.runDue())[0]).toMatchObject({ outcome: 'done', batches: 2 });
      expect(job.cursors).toEqual([null, '1', '2', '2', '3']);
      expect(await lease(process)).toMatchObject({ failures: 0, lastOutcome: 'done' });
    });

    it('waits longer each time, and after three times begins anew: the cursor may be what is wrong', async () => {
      const process = aProcess(first.transactions, failing(3));
      for (const seconds of [30, 60, 120]) {
        await process.runner.runDue();
        clock.advance({ seconds: seconds - 1 });
        expect(await process.runner.runDue()).toEqual([]);
        clock.advance({ seconds: 1 });
      }
      expect(await lease(process)).toMatchObject({ cursor: null, failures: 3 });
      expect((await process.runner.runDue())[0]).toMatchObject({ outcome: 'done', batches: 4 });
    });

    it('lets the other jobs go on', async () => {
      const other = new CountingJob(first.transactions, 4, undefined, 'other');
      const { runner } = aProcess(first.transactions, failing(9), other);
      const turns = await runner.runDue();
      expect(turns.map(({ job, outcome }) => [job, outcome])).toEqual([
        ['count', 'failed'],
        ['other', 'done'],
      ]);
    });
  });

  it('lets jobs take turns, batch by batch', async () => {
    const order: string[] = [];
    const job = (name: string) => new CountingJob(first.transactions, 3, () => void order.push(name), name);
    await aProcess(first.transactions, job('a'), job('b')).runner.runDue();
    expect(order.slice(1, 5).join('')).toMatch(/abab|baba/);
  });

  it('gives others a turn of the event loop between batches', async () => {
    const job = counting(first.transactions);
    let batchesAtTheirTurn = 0;
    const { runner } = aProcess(first.transactions, job);
    await runner.list();
    const working = runner.runDue();
    setImmediate(() => (batchesAtTheirTurn = job.cursors.length));
    await working;
    expect(batchesAtTheirTurn).toBeLessThan(4);
  });

  it('stops after the batch under way and gives the lease back, so that another process goes on at once', async () => {
    const stopping: Promise<void>[] = [];
    const job: CountingJob = new CountingJob(first.transactions, 4, (batch) => {
      if (batch === 2) stopping.push(here.runner.stop());
    });
    const here = aProcess(first.transactions, job);
    expect(await here.runner.runDue()).toEqual([
      { job: 'count', outcome: 'interrupted', batches: 2, rows: 20 },
    ]);
    await Promise.all(stopping);
    expect(await here.runner.runDue()).toEqual([
      { job: 'count', outcome: 'interrupted', batches: 0, rows: 0 },
    ]);

    const there = aProcess(second.transactions, counting(second.transactions));
    expect((await there.runner.runDue())[0]).toMatchObject({ outcome: 'done', batches: 2 });
    expect(await counts()).toEqual([1, 1, 1, 1]);
  });

  describe('once it is started', () => {
    beforeEach(() => {
      jest.spyOn(Math, 'random').mockReturnValue(0);
    });
    afterEach(() => {
      jest.restoreAllMocks();
    });

    it('looks for work by itself, and stops when told', async () => {
      let job: CountingJob;
      const worked = new Promise<void>((resolve) => {
        job = new CountingJob(first.transactions, 1, () => resolve());
      });
      const process = aProcess(first.transactions, job!);
      process.runner.start();
      await worked;
      await process.runner.stop();
      expect((await lease(process)).holder).toBeNull();
    });

    it('does nothing where jobs are switched off, and nothing once it was stopped', async () => {
      const timers = jest.spyOn(globalThis, 'setTimeout');
      new JobProcess(first.transactions, clock, [counting(first.transactions)], false).runner.start();
      const stopped = aProcess(first.transactions, counting(first.transactions));
      await stopped.runner.stop();
      stopped.runner.start();
      expect(timers).not.toHaveBeenCalled();
    });
  });

  it('takes a lease that a clock far ahead had set, and a turn that it had put off', async () => {
    const process = aProcess(first.transactions, counting(first.transactions));
    clock.advance({ days: 400 });
    await process.runner.runDue();
    clock.advance({ days: -400 });
    expect((await process.runner.runDue())[0]).toMatchObject({ outcome: 'done' });
  });

  it('counts batches and rows, and tells the last success of any process', async () => {
    const here = aProcess(first.transactions, counting(first.transactions));
    const there = aProcess(second.transactions, counting(second.transactions));
    await here.runner.runDue();
    await there.runner.runDue();
    expect(await here.metric('ostiary_job_batches_total{job="count",outcome="done"}')).toBe(4);
    expect(await here.metric('ostiary_job_rows_total{job="count"}')).toBe(40);
    expect(await here.metric('ostiary_job_duration_seconds_count{job="count"}')).toBe(1);
    expect(await there.metric('ostiary_job_rows_total{job="count"}')).toBeUndefined();
    for (const { metric } of [here, there].map((process) => ({ metric: process.metric.bind(process) }))) {
      expect(await metric('ostiary_job_last_success_timestamp_seconds{job="count"}')).toBe(
        clock.now() / 1000,
      );
    }
  });

  it('says in a warning that the database is away, and not that the job failed', async () => {
    const gone = await TestStores.open(kind, { database: first.database });
    const process = aProcess(
      gone.transactions,
      new CountingJob(gone.transactions, 1, () => {
        throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
      }),
    );
    expect((await process.runner.runDue())[0]!.outcome).toBe('failed');
    expect(process.log).toContain('"level":"warn"');
    expect(process.log).not.toContain('"level":"error"');
    await gone.close();
  });
});
