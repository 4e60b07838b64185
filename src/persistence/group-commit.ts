import { AsyncResource } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { DatabaseConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { isLocked } from './store-errors.js';

type Work<T> = (manager: EntityManager) => Promise<T>;

interface Waiting {
  readonly isSynced: boolean;
  /** By `performance.now()`: what has not begun by then is refused. */
  readonly deadline: number;
  readonly work: Work<unknown>;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = { readonly result: unknown } | { readonly error: unknown };

/** SQLite runs on the event loop: past this, others get their turn before the next group. */
const GROUP_MILLISECONDS = 5;

/** At most so long between two tries for the lock that another process holds, and on average half of it. */
const LOCK_RETRY_MILLISECONDS = 5;

/**
 * The writes of a process, on SQLite's one writing connection. Transactions that come in the same turn of the event
 * loop are committed together: the disk, which each commit has to wait for, is waited for once. Each is still all or
 * nothing by itself, sees what was done before it, and is answered only when all of them are on the disk.
 */
export class GroupCommit {
  private waiting: Waiting[] = [];
  private isScheduled = false;
  private readonly restoreSynchronous: string;

  /**
   * @param waitMilliseconds how long work may wait for its turn and for the write lock of the file.
   * @param synchronous how commits wait for the disk, where they do.
   */
  constructor(
    private readonly writer: DataSource,
    private readonly waitMilliseconds: number,
    synchronous: DatabaseConfig['sqliteSynchronous'],
  ) {
    this.restoreSynchronous = `PRAGMA synchronous = ${synchronous}`;
  }

  /**
   * @param isSynced whether the disk is waited for.
   * @throws BrokerError `store_unavailable` when the turn came too late, and nothing was begun; the driver's error when
   *   the file stayed locked or the commit failed; whatever `work` throws.
   */
  async run<T>(work: Work<T>, { isSynced }: { isSynced: boolean }): Promise<T> {
    const deadline = performance.now() + this.waitMilliseconds;
    // It will run in the turn of whoever came first, and must not be taken for that one's (by the audit log, say).
    const own = new AsyncResource('Transaction');
    const inOwnContext: Work<T> = (manager) => own.runInAsyncScope(work, undefined, manager);
    const outcome = await new Promise<Outcome>((settle) => {
      this.waiting.push({ isSynced, deadline, work: inOwnContext, settle });
      this.schedule();
    });
    if ('error' in outcome) throw outcome.error;
    return outcome.result as T;
  }

  /** After the requests that this turn of the event loop reads have all come as far as here. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => void this.carryOut());
  }

  private async carryOut(): Promise<void> {
    const group = this.nextGroup();
    if (group.length > 0) this.waiting.unshift(...(await this.commit(group)));
    this.isScheduled = false;
    if (this.waiting.length > 0) this.schedule();
  }

  /** Those at the head of the queue that may share a commit; those that have waited too long are refused. */
  private nextGroup(): Waiting[] {
    const now = performance.now();
    while (this.waiting[0] && this.waiting[0].deadline < now) {
      const error = new BrokerError('store_unavailable', { retryAfterSeconds: 1 });
      this.waiting.shift()!.settle({ error });
    }
    const end = this.waiting.findIndex(({ isSynced }) => isSynced !== this.waiting[0]!.isSynced);
    return this.waiting.splice(0, end === -1 ? this.waiting.length : end);
  }

  /**
   * Carries out as many of the group as time allows, and settles those. Does not throw.
   *
   * @returns the others.
   */
  private async commit(group: readonly Waiting[]): Promise<Waiting[]> {
    const runner = this.writer.createQueryRunner();
    const begun: { readonly waiting: Waiting; outcome?: Outcome }[] = [];
    const left = [...group];
    try {
      if (!group[0]!.isSynced) await runner.query('PRAGMA synchronous = NORMAL');
      await this.beginWhenUnlocked(runner, group[0]!.deadline);
      const endsAt = performance.now() + GROUP_MILLISECONDS;
      do {
        const one: (typeof begun)[0] = { waiting: left.shift()! };
        begun.push(one);
        one.outcome = await attempt(runner, one.waiting.work);
      } while (left.length > 0 && performance.now() < endsAt);
      await runner.query('COMMIT');
      for (const { waiting, outcome } of begun) waiting.settle(outcome!);
    } catch (error) {
      // SQLite may have rolled back by itself (a full disk), and then there is nothing to roll back.
      await runner.query('ROLLBACK').catch(() => undefined);
      if (begun.length === 0) begun.push({ waiting: left.shift()! });
      for (const { waiting } of begun) waiting.settle({ error });
    }
    // Fails only on a connection that is closed, on which nothing is committed any more either.
    if (!group[0]!.isSynced) await runner.query(this.restoreSynchronous).catch(() => undefined);
    return left;
  }

  /** Tries for the write lock without stopping the event loop, as another process may hold it. */
  private async beginWhenUnlocked(runner: QueryRunner, deadline: number): Promise<void> {
    for (;;) {
      try {
        // A deferred transaction would take the lock at its first write, and fail if another process wrote meanwhile.
        await runner.query('BEGIN IMMEDIATE');
        return;
      } catch (error) {
        if (!isLocked(error) || performance.now() > deadline) throw error;
        await delay(1 + Math.random() * LOCK_RETRY_MILLISECONDS);
      }
    }
  }
}

/**
 * One transaction of the group. What it throws is its own affair, as long as what it wrote can be taken back.
 *
 * @throws what `work` threw, where the whole group is lost with it.
 */
async function attempt(runner: QueryRunner, work: Work<unknown>): Promise<Outcome> {
  await runner.query('SAVEPOINT one');
  try {
    const result = await work(runner.manager);
    await runner.query('RELEASE one');
    return { result };
  } catch (error) {
    try {
      await runner.query('ROLLBACK TO one');
      await runner.query('RELEASE one');
    } catch {
      throw error;
    }
    return { error };
  }
}
