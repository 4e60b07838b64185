import { type AuditLog } from '../../src/audit/audit-log.js';
import { DomainEvents } from '../../src/events/domain-events.js';
import { createLogger } from '../../src/observability/logger.js';
import { Metrics } from '../../src/observability/metrics.js';
import { Outbox } from '../../src/outbox/outbox.js';
import { OutboxDesk } from '../../src/outbox/outbox-desk.js';
import type { OutboxMessage } from '../../src/outbox/outbox-message.js';
import { OutboxMetrics } from '../../src/outbox/outbox-metrics.js';
import { OutboxRepository } from '../../src/outbox/outbox.repository.js';
import { OutboxRunner } from '../../src/outbox/outbox-runner.js';
import type { Delivered } from '../../src/outbox/outbox-topic.js';
import { OutboxTopics } from '../../src/outbox/outbox-topics.js';
import { SilentDoorbell } from '../../src/persistence/doorbell.js';
import type { Transactions } from '../../src/persistence/transactions.js';
import type { Clock } from '../../src/time/clock.js';
import { intoList } from './test-app.js';

type Deliver = (
  message: OutboxMessage,
  options: { readonly signal: AbortSignal },
) => Delivered | Promise<Delivered>;

/** What a serving process has of the outbox, on whichever store. Nothing runs before a test says so. */
export class OutboxProcess {
  readonly messages: OutboxRepository;
  readonly runner: OutboxRunner;
  readonly outbox: Outbox;
  readonly desk: OutboxDesk;
  private readonly topics = new OutboxTopics();
  private readonly metrics = new Metrics(new DomainEvents());
  private readonly logged: string[] = [];

  constructor(transactions: Transactions, clock: Clock) {
    const logger = createLogger({ level: 'info' }, intoList(this.logged));
    const doorbell = new SilentDoorbell();
    this.messages = new OutboxRepository(transactions);
    this.runner = new OutboxRunner(
      this.messages,
      this.topics,
      new OutboxMetrics(this.metrics),
      transactions,
      doorbell,
      clock,
      logger,
    );
    this.outbox = new Outbox(this.messages, this.runner, transactions, doorbell, clock);
    const unheard = { record: () => Promise.resolve() } as unknown as AuditLog;
    this.desk = new OutboxDesk(this.messages, this.runner, transactions, doorbell, unheard, clock);
  }

  get log(): string {
    return this.logged.join('');
  }

  /** From now on, messages of the topic are delivered so. */
  on(topic: string, deliver: Deliver): this {
    this.topics.register({ name: topic, deliver: async (message, options) => deliver(message, options) });
    return this;
  }

  /** The value of a metric line that begins with this. */
  async metric(line: string): Promise<number | undefined> {
    await this.runner.count();
    const found = (await this.metrics.text()).split('\n').find((one) => one.startsWith(`${line} `));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  }
}
