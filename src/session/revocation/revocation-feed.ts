import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { errorFields, Logger } from '../../observability/logger.js';
import { Doorbell } from '../../persistence/doorbell.js';
import { Clock } from '../../time/clock.js';
import { RevocationLog, type LogPosition } from './revocation-log.js';
import { SessionCache } from '../session-cache.js';

/**
 * What was last confirmed longer ago than this is not gone by. A revocation that another process has answered is in
 * force here at most so much later, with room to the stated two seconds for the answer on its way.
 */
export const CONFIRMED_FOR_MILLISECONDS = 1500;

/** How often the log is looked at when no bell rings. Three looks may fail before the cache has to be passed by. */
const LOOK_MILLISECONDS = 400;

/** Rings closer together than this are answered by one look. */
const LOOKS_APART_MILLISECONDS = 10;

/**
 * Rows of the log are kept for an hour. A process that has not looked for so long (it was stopped) may have missed
 * some, and begins anew.
 */
const MISSED_AFTER_MILLISECONDS = 10 * 60_000;

/** Keeps this process's sessions in step with what others end: reads the log, and drops what it names. */
@Injectable()
export class RevocationFeed implements OnApplicationShutdown {
  /**
   * Every revocation committed before this moment (of the monotonic clock) is known here. Public because the session
   * check compares it on each call.
   */
  confirmedAt = Number.NEGATIVE_INFINITY;
  private position: LogPosition | null = null;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private rangMeanwhile = false;
  private isRunning = false;
  private isAway = false;

  constructor(
    private readonly log: RevocationLog,
    private readonly cache: SessionCache,
    private readonly doorbell: Doorbell,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Seconds since the last confirmation, for the operator. */
  get ageSeconds(): number {
    return (this.clock.monotonic() - this.confirmedAt) / 1000;
  }

  /** Begins to follow the log; resolves after the first look. For processes that serve; nothing else need know. */
  async start(): Promise<void> {
    this.isRunning = true;
    this.doorbell.onRing(() => this.lookSoon());
    this.doorbell.start();
    await this.look();
  }

  async onApplicationShutdown(): Promise<void> {
    this.isRunning = false;
    clearTimeout(this.timer);
    await this.looking;
  }

  /** Reads the log now, or shares the look that is under way. Does not throw. */
  look(): Promise<void> {
    return (this.looking ??= this.lookOnce().finally(() => {
      this.looking = undefined;
      this.lookAgainIn(this.rangMeanwhile ? LOOKS_APART_MILLISECONDS : LOOK_MILLISECONDS);
      this.rangMeanwhile = false;
    }));
  }

  private lookSoon(): void {
    if (this.looking) this.rangMeanwhile = true;
    else this.lookAgainIn(LOOKS_APART_MILLISECONDS);
  }

  private lookAgainIn(milliseconds: number): void {
    if (!this.isRunning) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), milliseconds).unref();
  }

  private async lookOnce(): Promise<void> {
    const startedAt = this.clock.monotonic();
    try {
      const page = await this.log.readSince(this.position);
      const mayHaveMissed = startedAt - this.confirmedAt > MISSED_AFTER_MILLISECONDS;
      if (page.startsAnew || mayHaveMissed) this.cache.clear();
      for (const hash of page.tokenHashes) this.cache.drop(hash);
      this.position = page.position;
      // As of before the read: what was committed while it ran may not be in it.
      this.confirmedAt = startedAt;
      this.isAway = false;
    } catch (error) {
      // Once, and not every 400 ms until the database is back.
      if (!this.isAway) this.logger.warn(errorFields(error), 'revocations cannot be read');
      this.isAway = true;
    }
  }
}
