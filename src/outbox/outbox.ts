import { Injectable } from '@nestjs/common';
import { Doorbell } from '../persistence/doorbell.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import type { NewMessage } from './outbox-message.js';
import { OutboxRepository } from './outbox.repository.js';
import { OutboxRunner } from './outbox-runner.js';
import { GIVE_UP_AFTER_MILLISECONDS } from './retry-delay.js';

/**
 * What there is to be told to others, stored in the transaction that makes it true: told at least once if that is
 * committed, whatever becomes of this process, and never if it is not.
 */
@Injectable()
export class Outbox {
  constructor(
    private readonly messages: OutboxRepository,
    private readonly runner: OutboxRunner,
    private readonly transactions: Transactions,
    private readonly doorbell: Doorbell,
    private readonly clock: Clock,
  ) {}

  /** Joins the caller's transaction. Delivery begins right after the commit, in this process if it serves. */
  async add(messages: readonly NewMessage[]): Promise<void> {
    if (messages.length === 0) return;
    const now = this.clock.now();
    await this.transactions.run(async () => {
      await this.messages.insert(messages, now, now + GIVE_UP_AFTER_MILLISECONDS);
      this.transactions.afterCommit(() => {
        this.runner.wake();
        this.doorbell.ring();
      });
    });
  }
}
