import { Injectable } from '@nestjs/common';
import { Metrics } from '../observability/metrics.js';
import type { TopicCount } from './outbox.repository.js';

/** What an operator sees of the outbox. What was delivered is counted by each process, what waits is everybody's. */
@Injectable()
export class OutboxMetrics {
  private readonly delivered;
  private readonly notDelivered;
  private readonly pending;
  private readonly failed;
  private readonly oldest;
  private readonly known = new Set<string>();

  constructor(metrics: Metrics) {
    this.delivered = metrics.counter('ostiary_outbox_delivered_total', 'Messages delivered to others.', [
      'topic',
    ]);
    this.notDelivered = metrics.counter(
      'ostiary_outbox_attempts_failed_total',
      'Deliveries that failed and are tried again.',
      ['topic', 'reason'],
    );
    this.pending = metrics.common('ostiary_outbox_pending', 'Messages that wait for their delivery.', [
      'topic',
    ]);
    this.failed = metrics.common('ostiary_outbox_failed', 'Messages that were given up.', ['topic']);
    this.oldest = metrics.common(
      'ostiary_outbox_oldest_seconds',
      'Since when the oldest message waits for its delivery.',
      ['topic'],
    );
  }

  countDelivered(topic: string): void {
    this.delivered.inc({ topic });
  }

  countFailure(topic: string, reason: string): void {
    this.notDelivered.inc({ topic, reason });
  }

  /** @param now milliseconds since the epoch. */
  note(counts: readonly TopicCount[], topics: readonly string[], now: number): void {
    for (const topic of [...topics, ...counts.map((count) => count.topic)]) this.known.add(topic);
    const byTopic = new Map(counts.map((count) => [count.topic, count]));
    for (const topic of this.known) {
      const count = byTopic.get(topic);
      this.pending.set({ topic }, count?.pending ?? 0);
      this.failed.set({ topic }, count?.failed ?? 0);
      const since = count?.oldestPendingAt ?? now;
      this.oldest.set({ topic }, Math.max(0, now - since) / 1000);
    }
  }
}
