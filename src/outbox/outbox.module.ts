import { Module } from '@nestjs/common';
import { TimeModule } from '../time/time.module.js';
import { OutboxDesk } from './outbox-desk.js';
import { OutboxMetrics } from './outbox-metrics.js';
import { Outbox } from './outbox.js';
import { OutboxRepository } from './outbox.repository.js';
import { OutboxRunner } from './outbox-runner.js';
import { OutboxTopics } from './outbox-topics.js';

/**
 * Owns what is to be told to others and how it gets there: at least once, in the transaction's own truth, retried for a
 * day. What is told is the features' affair, which register a topic. Serving processes start the `OutboxRunner`.
 */
@Module({
  imports: [TimeModule],
  providers: [OutboxRepository, OutboxTopics, OutboxMetrics, OutboxRunner, Outbox, OutboxDesk],
  exports: [Outbox, OutboxTopics, OutboxRunner, OutboxDesk],
})
export class OutboxModule {}
