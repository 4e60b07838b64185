import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationShutdown } from '@nestjs/common';
import { errorFields, Logger } from '../observability/logger.js';
import { Doorbell } from '../persistence/doorbell.js';
import { isStoreAway } from '../persistence/store-errors.js';
import { Transactions } from '../persistence/transactions.js';
import { Clock } from '../time/clock.js';
import type { OutboxMessage } from './outbox-message.js';
import { OutboxMetrics } from './outbox-metrics.js';
import { OutboxRepository } from './outbox.repository.js';
import { OutboxTargets } from './outbox-targets.js';
import { DeliveryError, type Delivered } from './outbox-topic.js';
import { OutboxTopics } from './outbox-topics.js';
import { retryDelay } from './retry-delay.js';

/** Deliveries at once in one process, to all targets together. */
const AT_ONCE = 64;

/** For one delivery, whatever it takes. */
const DEADLINE_MILLISECONDS = 5000;

/** Past this, another process delivers what this one has claimed. Longer than any delivery is let go on. */
const CLAIM_MILLISECONDS = 15_000;

/** How often a serving process looks for what others left, and for what has become due. Real time. */
const LOOK_MILLISECONDS = 1000;

/** Rings closer together than this are answered by one look. */
const LOOKS_APART_MILLISECONDS = 50;

/** How often what waits is counted, for the metrics. */
const COUNT_EVERY_MILLISECONDS = 10_000;

/** What failed while a target was away, and is made due at once when it is back, in one go. */
const HASTENED_AT_ONCE = 200;

/** How long deliveries under way are waited for when the process stops; then they are called off. */
const STOP_WITHIN_MILLISECONDS = 1500;

/**
 * Delivers what is in the outbox. Each message is claimed by one process, for a while: what a process that died had
 * claimed, another one takes over. The command line opens the same modules, so nothing runs by itself: a serving
 * process calls `start`.
 */
@Injectable()
export class OutboxRunner implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** New with each process, so that none mistakes the claims of one that died for its own. */
  private readonly holder = `${hostname().slice(0, 64)}/${process.pid}/${randomBytes(8).toString('hex')}`;
  private readonly targets = new OutboxTargets();
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private isAskedAgain = false;
  private isRunning = false;
  private stopped: Promise<void> | undefined;
  private isAway = false;
  private countedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly messages: OutboxRepository,
    private readonly topics: OutboxTopics,
    private readonly metrics: OutboxMetrics,
    private readonly transactions: Transactions,
    private readonly doorbell: Doorbell,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** Delivers what is due, from now on. Without effect the second time. */
  start(): void {
    if (this.isRunning || this.stopped) return;
    this.isRunning = true;
    this.doorbell.onRing(() => this.lookWithin(LOOKS_APART_MILLISECONDS));
    this.doorbell.start();
    this.lookWithin(Math.random() * LOOK_MILLISECONDS);
  }

  /** There is something to deliver; for after the commit. */
  wake(): void {
    this.lookWithin(0);
  }

  /** Takes nothing any more, ends what is under way, and leaves the rest to others at once. */
  stop(): Promise<void> {
    return (this.stopped ??= this.stopOnce());
  }

  /** Requests in flight are answered after this; what they leave here, others or the next start deliver. */
  beforeApplicationShutdown(): void {
    void this.stop();
  }

  /** Before the stores close, as `PersistenceModule` is last. */
  onApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /**
   * Delivers everything that is due, and what becomes due by that, in this process. Resolves when nothing is left that
   * may be tried now, whatever became of it.
   */
  async runDue(): Promise<void> {
    // One that has begun already may have missed what the caller means.
    await this.looking;
    for (;;) {
      await this.look();
      if (this.underWay.size === 0) return;
      await Promise.allSettled(this.underWay);
    }
  }

  /** Counts what waits, for the metrics. */
  async count(): Promise<void> {
    this.metrics.note(await this.messages.counts(), this.topics.names, this.clock.now());
  }

  private lookWithin(milliseconds: number): void {
    if (!this.isRunning) return;
    if (this.looking) {
      this.isAskedAgain = true;
      return;
    }
    clearTimeout(this.timer);
    // Begun in a transaction's own context, everything it leads to would be taken for a part of that.
    this.timer = this.transactions.outside(() => setTimeout(() => void this.look(), milliseconds)).unref();
  }

  /** Claims what is due and begins to deliver it, or shares the look that is under way. Does not throw. */
  private look(): Promise<void> {
    return (this.looking ??= this.transactions
      .outside(() => this.lookOnce())
      .finally(() => {
        this.looking = undefined;
        const isAskedAgain = this.isAskedAgain;
        this.isAskedAgain = false;
        this.lookWithin(isAskedAgain ? 0 : LOOK_MILLISECONDS);
      }));
  }

  private async lookOnce(): Promise<void> {
    try {
      const topics = this.topics.names;
      for (const target of inTurns(await this.messages.dueTargets(topics, this.clock.now()))) {
        await this.claimFor(target, topics);
      }
      await this.countSometimes();
      this.isAway = false;
    } catch (error) {
      // Once, and not every second until the database is back.
      if (!this.isAway) this.logger.warn(errorFields(error), 'the outbox cannot be read');
      this.isAway = true;
    }
  }

  private async claimFor(target: string, topics: readonly string[]): Promise<void> {
    if (this.stopped) return;
    const now = this.clock.now();
    const room = Math.min(this.targets.room(target, now), AT_ONCE - this.underWay.size);
    if (room <= 0) return;
    const claim = { holder: this.holder, now, until: now + CLAIM_MILLISECONDS };
    for (const message of await this.messages.claim(target, topics, room, claim)) this.begin(message);
  }

  private async countSometimes(): Promise<void> {
    const now = performance.now();
    if (!this.isRunning || now - this.countedAt < COUNT_EVERY_MILLISECONDS) return;
    this.countedAt = now;
    await this.count();
  }

  private begin(message: OutboxMessage): void {
    this.targets.begin(message.target);
    const delivery = this.deliver(message).finally(() => {
      this.underWay.delete(delivery);
      this.targets.end(message.target);
      // There may be more for this target than was let in at once.
      this.lookWithin(0);
    });
    this.underWay.add(delivery);
  }

  /** Does not throw: what the store does not take of it, the claim's end puts right. */
  private async deliver(message: OutboxMessage): Promise<void> {
    try {
      const delivered = await this.attempt(message);
      await this.noteSuccess(message, delivered);
    } catch (error) {
      await this.noteFailure(message, error).catch((failure: unknown) =>
        this.logger.warn(
          { topic: message.topic, message_id: message.id, ...errorFields(failure) },
          'what became of a message cannot be written; it is delivered again',
        ),
      );
    }
  }

  /** Waits no longer than the deadline, even for a delivery that does not heed its signal. */
  private async attempt(message: OutboxMessage): Promise<Delivered> {
    const topic = this.topics.find(message.topic)!;
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), DEADLINE_MILLISECONDS);
    const signal = AbortSignal.any([deadline.signal, this.stopping.signal]);
    let abandon = () => {};
    const abandoned = new Promise<never>((_resolve, reject) => {
      abandon = () => reject(new DeliveryError('no_answer', true));
    });
    signal.addEventListener('abort', abandon, { once: true });
    try {
      return await Promise.race([topic.deliver(message, { signal }), abandoned]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abandon);
    }
  }

  private async noteSuccess({ id, topic, target }: OutboxMessage, delivered: Delivered): Promise<void> {
    this.targets.succeeded(target);
    if (delivered === 'again') {
      await this.messages.putBack(id, this.holder, this.clock.now());
      return;
    }
    await this.messages.remove(id, this.holder);
    this.metrics.countDelivered(topic);
    if (!this.targets.isBack(target)) return;
    const hastened = await this.messages.hasten(target, this.clock.now(), HASTENED_AT_ONCE);
    if (hastened < HASTENED_AT_ONCE) this.targets.hastened(target);
  }

  private async noteFailure(message: OutboxMessage, error: unknown): Promise<void> {
    const { id, topic, target, giveUpAt } = message;
    // The process stops: that is nobody's failure.
    if (this.stopping.signal.aborted) return this.messages.putBack(id, this.holder, this.clock.now());
    const now = this.clock.now();
    const isExpected = error instanceof DeliveryError;
    const word = isExpected ? error.word : isStoreAway(error) ? 'store_away' : 'internal_error';
    if (!isExpected || error.isTargetAtFault) this.targets.failed(target, now);
    this.metrics.countFailure(topic, word);
    const attempts = message.attempts + 1;
    const fields = { topic, target, message_id: id, attempts, reason: word };
    if (now >= giveUpAt) {
      this.logger.error(fields, 'a message was given up');
      return this.messages.giveUp(id, this.holder, now, word);
    }
    if (isExpected) this.logger.warn(fields, 'a message was not delivered; it is tried again');
    else
      this.logger.error(
        { ...fields, ...errorFields(error) },
        'a message cannot be delivered; it is tried again',
      );
    await this.messages.retryAt(id, this.holder, now + retryDelay(attempts, Math.random()), word);
  }

  private async stopOnce(): Promise<void> {
    this.isRunning = false;
    clearTimeout(this.timer);
    await this.looking;
    if (this.underWay.size > 0) await this.endOfDeliveries(STOP_WITHIN_MILLISECONDS);
    if (this.underWay.size === 0) return;
    this.stopping.abort();
    await this.endOfDeliveries(STOP_WITHIN_MILLISECONDS);
    await this.messages.release(this.holder, this.clock.now()).catch(() => undefined);
  }

  private async endOfDeliveries(milliseconds: number): Promise<void> {
    const patience = new AbortController();
    const limit = delay(milliseconds, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.underWay), limit]);
    patience.abort();
  }
}

/** Whose name comes first is not first each time: where there is more to do than may be begun, all get their turn. */
function inTurns(targets: readonly string[]): readonly string[] {
  const from = Math.floor(Math.random() * targets.length);
  return [...targets.slice(from), ...targets.slice(0, from)];
}
