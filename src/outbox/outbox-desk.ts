import { Injectable } from '@nestjs/common';
import { AuditLog } from '../audit/audit-log.js';
import { Doorbell } from '../persistence/doorbell.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import type { OutboxEntry } from './outbox-message.js';
import { OutboxRepository } from './outbox.repository.js';
import { OutboxRunner } from './outbox-runner.js';
import { GIVE_UP_AFTER_MILLISECONDS } from './retry-delay.js';

/** However many were given up: a transaction holds up others no longer than this many rows take. */
const RETRIED_AT_ONCE = 500;

/** What an operator may look at and do. */
@Injectable()
export class OutboxDesk {
  constructor(
    private readonly messages: OutboxRepository,
    private readonly runner: OutboxRunner,
    private readonly transactions: Transactions,
    private readonly doorbell: Doorbell,
    private readonly audit: AuditLog,
    private readonly clock: Clock,
  ) {}

  /** Up to `limit` messages with ids above `afterId`, oldest first; of all, or of those that were given up. */
  list(filter: {
    readonly isFailed: boolean;
    readonly afterId: number;
    readonly limit: number;
  }): Promise<OutboxEntry[]> {
    return this.messages.page(filter);
  }

  /**
   * Has a message tried at once, for another day if it was given up. One that is being delivered at the moment stays as
   * it is.
   *
   * @returns the message, or null when it is not there (any more).
   */
  retry(id: number): Promise<OutboxEntry | null> {
    return this.transactions.run(async () => {
      const now = this.clock.now();
      if (await this.messages.retry(id, now, now + GIVE_UP_AFTER_MILLISECONDS)) await this.record(1);
      return this.messages.find(id);
    });
  }

  /** As `retry`, for every message that was given up. @returns how many. */
  async retryAll(): Promise<number> {
    for (let count = 0; ;) {
      const retried = await this.transactions.run(async () => {
        const now = this.clock.now();
        const some = await this.messages.retryFailed(now, now + GIVE_UP_AFTER_MILLISECONDS, RETRIED_AT_ONCE);
        if (some > 0) await this.record(some);
        return some;
      });
      count += retried;
      if (retried < RETRIED_AT_ONCE) return count;
    }
  }

  private async record(count: number): Promise<void> {
    await this.audit.record({ act: 'outbox.retried', details: { count } });
    this.transactions.afterCommit(() => {
      this.runner.wake();
      this.doorbell.ring();
    });
  }
}
