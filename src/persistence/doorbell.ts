import { randomBytes } from 'node:crypto';
import type { DatabaseConfig } from '../config/config.js';
import { newPostgresClient, type PostgresClient } from './postgres-client.js';
import type { Stores } from './stores.js';

/**
 * Tells the other processes on this database that there is something to look at. A ring may be lost, be late, or come
 * for nothing: whoever must not miss anything looks from time to time as well.
 */
export abstract class Doorbell {
  private readonly listeners: (() => void)[] = [];

  onRing(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Begins to listen; does not wait until it does, and does not fail. Without effect the second time. */
  abstract start(): void;

  /** Rings at the others, soon, and is not waited for. For after the commit. */
  abstract ring(): void;

  abstract stop(): Promise<void>;

  protected rang(): void {
    for (const listener of this.listeners) listener();
  }
}

/** For installations that listen by looking alone, and for the command line, which has nothing to hear. */
export class SilentDoorbell extends Doorbell {
  override start(): void {}
  override ring(): void {}
  override stop(): Promise<void> {
    return Promise.resolve();
  }
}

const SQLITE_LOOK_MILLISECONDS = 40;

/**
 * SQLite: `PRAGMA data_version` changes when another connection has committed to the file. Asked on the writing
 * connection, so that only writes of other processes count; it reads one word of shared memory.
 */
export class SqliteDoorbell extends Doorbell {
  private timer: NodeJS.Timeout | undefined;
  private seen: number | undefined;
  private looking = false;

  constructor(private readonly stores: Stores) {
    super();
  }

  override start(): void {
    this.timer ??= setInterval(() => void this.look(), SQLITE_LOOK_MILLISECONDS).unref();
  }

  /** Nothing to do: the write itself is what the others see. */
  override ring(): void {}

  override stop(): Promise<void> {
    clearInterval(this.timer);
    return Promise.resolve();
  }

  private async look(): Promise<void> {
    if (this.looking || !this.stores.writer.isInitialized) return;
    this.looking = true;
    try {
      const [row] = await this.stores.writer.query<{ data_version: number }[]>('PRAGMA data_version');
      const isNew = this.seen !== undefined && this.seen !== row!.data_version;
      this.seen = row!.data_version;
      if (isNew) this.rang();
    } catch {
      // Closed or away: whoever looks for themselves will find out.
    } finally {
      this.looking = false;
    }
  }
}

const CHANNEL = 'ostiary';
const RECONNECT_MILLISECONDS = 1000;

/** Rings closer together than this go out as one. */
const RING_MILLISECONDS = 10;

/**
 * PostgreSQL: NOTIFY on a connection of its own, after the commit and not within it. A transaction that notifies holds
 * a lock of the whole server while it commits, which would let no two revocations commit at once.
 */
export class PostgresDoorbell extends Doorbell {
  /** To know our own rings by. */
  private readonly id = randomBytes(6).toString('base64url');
  private open: PostgresClient | undefined;
  private retry: NodeJS.Timeout | undefined;
  /** A ring that is due or on its way. */
  private pending: NodeJS.Timeout | undefined;
  private rangMeanwhile = false;
  private isStarted = false;
  private isStopped = false;

  constructor(private readonly config: DatabaseConfig) {
    super();
  }

  override start(): void {
    if (this.isStarted) return;
    this.isStarted = true;
    void this.connect();
  }

  override ring(): void {
    if (this.isStopped) return;
    // What was committed after the present one went out needs one of its own.
    this.rangMeanwhile = this.pending !== undefined;
    this.pending ??= setTimeout(() => void this.send(), RING_MILLISECONDS).unref();
  }

  override stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.retry);
    clearTimeout(this.pending);
    this.open?.cut();
    this.open = undefined;
    return Promise.resolve();
  }

  /** Not sent where there is no connection: the others look by themselves before long. */
  private async send(): Promise<void> {
    await this.open?.query(`SELECT pg_notify('${CHANNEL}', $1)`, [this.id]).catch(() => undefined);
    this.pending = undefined;
    if (this.rangMeanwhile) this.ring();
    this.rangMeanwhile = false;
  }

  private async connect(): Promise<void> {
    const client = newPostgresClient(this.config, {
      connectionTimeoutMillis: this.config.waitMilliseconds,
      query_timeout: this.config.waitMilliseconds,
    });
    client.on('error', () => this.lose(client));
    client.on('end', () => this.lose(client));
    client.on('notification', ({ payload }) => {
      if (payload !== this.id) this.rang();
    });
    try {
      await client.connect();
      // A notification is not worth waiting for a disk, and every commit waits for one unless told otherwise.
      await client.query('SET synchronous_commit = off');
      await client.query(`LISTEN ${CHANNEL}`);
      if (this.isStopped) return client.cut();
      this.open = client;
      // Whatever was rung while nobody listened.
      this.rang();
    } catch {
      this.lose(client);
    }
  }

  /** Another one is opened after a while. Called more than once for most losses, and then does nothing more. */
  private lose(client: PostgresClient): void {
    if (this.open === client) this.open = undefined;
    client.cut();
    if (this.isStopped || this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      if (!this.open) void this.connect();
    }, RECONNECT_MILLISECONDS).unref();
  }
}
