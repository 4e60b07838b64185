import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager, QueryRunner } from 'typeorm';
import { ScopedStorage } from '../observability/scoped-storage.js';
import { GroupCommit } from './group-commit.js';
import { toStatement, type Statement } from './statement.js';
import { isConflict } from './store-errors.js';
import type { Queryable, Stores } from './stores.js';

interface Transaction {
  readonly manager: EntityManager;
  /** PostgreSQL: sent right before the COMMIT, in the same write. */
  readonly beforeCommit: Sendable[];
  readonly afterCommit: (() => void)[];
  readonly afterEnd: (() => void)[];
}

/** A statement with its values, as `pg` takes it. */
interface Sendable {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** How often a PostgreSQL transaction that lost a deadlock is begun anew. */
const CONFLICT_RETRIES = 4;

/**
 * Runs work in one database transaction; nested calls join the outer one. Repositories ask it for the manager, so
 * that no transaction has to be handed from call to call.
 *
 * Inside a transaction: no network, no password hashing, no waiting for anything but the database.
 */
export class Transactions {
  private readonly open = new ScopedStorage<Transaction>();
  /** SQLite only. */
  private readonly group: GroupCommit;
  private readonly statements = new Map<string, Statement>();

  constructor(
    private readonly stores: Stores,
    waitMilliseconds: number,
  ) {
    this.group = new GroupCommit(stores.writer, waitMilliseconds, stores.config.sqliteSynchronous);
  }

  get dialect(): Stores['dialect'] {
    return this.stores.dialect;
  }

  /** The open transaction's manager, or the reading side's. On SQLite a write outside a transaction fails. */
  get manager(): EntityManager {
    return this.open.current?.manager ?? this.stores.reader.manager;
  }

  /**
   * Runs one statement as written, with `:name` for parameters; for what the query builder words badly and for hot
   * reads. The statement is code: never build it from input.
   *
   * @returns the rows of a SELECT or a RETURNING; PostgreSQL's `bigint` as a number, SQLite's booleans as 0 and 1.
   */
  async query<Row>(sql: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<Row[]> {
    const sendable = this.sendable(sql, parameters);
    if (this.dialect === 'postgres') return this.send<Row>(sendable);
    // Without RETURNING, the driver has no rows to give.
    const result: unknown = await this.manager.query(sendable.text, [...sendable.values]);
    return Array.isArray(result) ? (result as Row[]) : [];
  }

  /**
   * Runs a statement whose outcome nobody reads inside the transaction, at its end at the latest: on PostgreSQL it
   * travels together with the COMMIT, and when it fails so does the transaction. For the inside of one.
   */
  async queryAtCommit(sql: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const transaction = this.open.current;
    if (transaction && this.dialect === 'postgres')
      transaction.beforeCommit.push(this.sendable(sql, parameters));
    else await this.query(sql, parameters);
  }

  /**
   * Runs `work` and commits, or rolls back and rethrows what it threw. `work` may run more than once (a PostgreSQL
   * deadlock), so it has no effects but those on the database and the hooks below.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.open.current) return work();
    return this.dialect === 'sqlite' ? this.grouped(work, true) : this.withRetries(work);
  }

  /**
   * As `run`, for what may be lost when the machine loses power, though not when the process dies: the disk is not
   * waited for. Joins an outer transaction with the promises of that one.
   */
  async runUnsynced<T>(work: () => Promise<T>): Promise<T> {
    if (this.open.current) return work();
    if (this.dialect === 'sqlite') return this.grouped(work, false);
    return this.withRetries(async () => {
      await this.query('SET LOCAL synchronous_commit = off');
      return work();
    });
  }

  /**
   * Begins work outside of the current transaction, if there is one. For what is started here and not waited for: it
   * would go on over the transaction's connection when that is somebody else's already. To be waited for inside a
   * transaction it is no good: the pool may have no second connection.
   */
  outside<T>(work: () => T): T {
    return this.open.outside(work);
  }

  /** Runs `hook` once the current transaction is committed, before `run` returns; at once outside one. */
  afterCommit(hook: () => void): void {
    const transaction = this.open.current;
    if (transaction) transaction.afterCommit.push(hook);
    else hook();
  }

  /**
   * Runs `hook` when the current transaction has ended, whichever way. For dropping what is cached: when the
   * connection breaks during COMMIT, nobody knows whether it took effect.
   */
  afterEnd(hook: () => void): void {
    const transaction = this.open.current;
    if (transaction) transaction.afterEnd.push(hook);
    else hook();
  }

  private grouped<T>(work: () => Promise<T>, isSynced: boolean): Promise<T> {
    return this.withHooks((begin) => this.group.run((manager) => begin(manager, work), { isSynced }));
  }

  private async withRetries<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.once(work);
      } catch (error) {
        if (attempt >= CONFLICT_RETRIES || !isConflict(error)) throw error;
        await delay(Math.random() * 20 * (attempt + 1));
      }
    }
  }

  /** PostgreSQL. */
  private once<T>(work: () => Promise<T>): Promise<T> {
    return this.withHooks(async (begin) => {
      const runner = this.stores.writer.createQueryRunner();
      try {
        await runner.startTransaction();
        const beforeCommit: Sendable[] = [];
        const result = await begin(runner.manager, work, beforeCommit);
        const client = clientOf(runner);
        const sent = Promise.all(beforeCommit.map((sendable) => client.query(sendable)));
        // When one of them fails, PostgreSQL makes a rollback of the COMMIT, and calls that a success.
        await Promise.all([runner.commitTransaction(), sent]);
        return result;
      } catch (error) {
        // On a connection that broke there is nothing to undo; what went wrong is known already.
        await runner.rollbackTransaction().catch(() => undefined);
        throw error;
      } finally {
        await runner.release();
      }
    });
  }

  private sendable(sql: string, parameters: Readonly<Record<string, unknown>>): Sendable {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = toStatement(sql, this.dialect)));
    const { names, text } = statement;
    const name = this.stores.config.preparedStatements ? statement.name : undefined;
    return { name, text, values: names.map((parameter) => parameters[parameter]) };
  }

  /** Past TypeORM's own machinery, which costs as much again as a short statement does. */
  private async send<Row>(sendable: Sendable): Promise<Row[]> {
    const runner = this.open.current?.manager.queryRunner;
    const { rows } = await (runner ? clientOf(runner) : this.stores.pool).query(sendable);
    return rows as Row[];
  }

  /** Runs the hooks that the work leaves behind, once the transaction has ended. */
  private async withHooks<T>(transact: (begin: Begin) => Promise<T>): Promise<T> {
    const afterCommit: (() => void)[] = [];
    const afterEnd: (() => void)[] = [];
    try {
      const result = await transact((manager, work, beforeCommit = []) =>
        this.open.run({ manager, beforeCommit, afterCommit, afterEnd }, work),
      );
      runAll(afterEnd);
      runAll(afterCommit);
      return result;
    } catch (error) {
      runAll(afterEnd);
      throw error;
    }
  }
}

type Begin = <T>(manager: EntityManager, work: () => Promise<T>, beforeCommit?: Sendable[]) => Promise<T>;

/** The connection of a transaction that has begun. */
function clientOf(runner: QueryRunner): Queryable {
  return (runner as unknown as { readonly databaseConnection: Queryable }).databaseConnection;
}

function runAll(hooks: readonly (() => void)[]): void {
  for (const hook of hooks) hook();
}
