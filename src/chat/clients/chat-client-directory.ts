import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { errorFields, Logger } from '../../observability/logger.js';
import { Transactions } from '../../persistence/transactions.js';
import { Clock } from '../../time/clock.js';
import type { ChatClient } from './chat-client.js';
import { chatClientSecretHash, isChatClientSecret } from './chat-client-secret.js';
import { ChatClientRepository } from './chat-client.repository.js';

/** From this age on, what is kept is read again in the background while it is still used. */
const REFRESH_AFTER_MILLISECONDS = 500;

/** What is kept longer than this without being confirmed is not used: a revoked client is refused within two seconds. */
const USABLE_MILLISECONDS = 1500;

const MAX_CLIENTS = 10_000;

/** Uses closer together are recorded once. */
const USE_STEP_MILLISECONDS = 60_000;

/**
 * Look-ups of secrets that are not in memory, at once in this process. A stranger who tries one after the other gets no
 * more of the database than this; a client that is known is not asked to wait behind them.
 */
const MOST_LOOK_UPS = 16;

interface Kept {
  readonly client: ChatClient;
  /** By the monotonic clock, when the read began. */
  readonly readAt: number;
}

/**
 * Chat clients as every check needs them: at once from memory, confirmed against the database twice a second while in
 * use, as applications are. Nothing is kept of secrets that are nobody's.
 */
@Injectable()
export class ChatClientDirectory implements OnApplicationShutdown {
  private readonly kept = new LRUCache<string, Kept>({ max: MAX_CLIENTS });
  private readonly reading = new Map<string, Promise<ChatClient | null>>();
  /** When each client's use was last recorded by this process. */
  private readonly usesNotedAt = new LRUCache<number, number>({ max: MAX_CLIENTS });
  private readonly writing = new Set<Promise<void>>();
  private waiting = 0;

  constructor(
    private readonly clients: ChatClientRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /**
   * The client in force whose secret this is; no promise when it is in memory.
   *
   * @returns null for a secret that is nobody's, or when too many of those are being looked up.
   */
  recognise(secret: string): ChatClient | null | Promise<ChatClient | null> {
    if (!isChatClientSecret(secret)) return null;
    const secretHash = chatClientSecretHash(secret);
    const client = this.peek(secretHash);
    if (client === undefined) return this.lookUp(secretHash);
    this.noteUse(client);
    return client;
  }

  /** Before the database is closed. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.writing);
  }

  /** Forgets everything, after a change made in this process. */
  clear(): void {
    this.kept.clear();
    this.reading.clear();
  }

  private peek(secretHash: string): ChatClient | undefined {
    const kept = this.kept.get(secretHash);
    if (kept === undefined) return undefined;
    const age = this.clock.monotonic() - kept.readAt;
    if (age > USABLE_MILLISECONDS) return undefined;
    if (age > REFRESH_AFTER_MILLISECONDS && !this.reading.has(secretHash)) {
      this.read(secretHash, () => this.clients.findInForceInBackground(secretHash)).catch(() => undefined);
    }
    return kept.client;
  }

  private async lookUp(secretHash: string): Promise<ChatClient | null> {
    if (!this.kept.has(secretHash) && this.waiting >= MOST_LOOK_UPS) return null;
    this.waiting += 1;
    try {
      const client = await this.read(secretHash, () => this.clients.findInForce(secretHash));
      if (client) this.noteUse(client);
      return client;
    } finally {
      this.waiting -= 1;
    }
  }

  /** One read at a time for each secret. */
  private read(secretHash: string, find: () => Promise<ChatClient | null>): Promise<ChatClient | null> {
    const underWay = this.reading.get(secretHash);
    if (underWay) return underWay;
    const readAt = this.clock.monotonic();
    const reading = find()
      .then((client) => {
        // Cleared meanwhile: what was read may be from before the change.
        if (this.reading.get(secretHash) !== reading) return client;
        if (client) this.kept.set(secretHash, { client, readAt });
        else this.kept.delete(secretHash);
        return client;
      })
      .finally(() => {
        if (this.reading.get(secretHash) === reading) this.reading.delete(secretHash);
      });
    this.reading.set(secretHash, reading);
    return reading;
  }

  /** Nobody waits for it, and what cannot be written is no reason to refuse. */
  private noteUse({ id, lastUsedAt }: ChatClient): void {
    const now = this.clock.now();
    const staleBefore = now - USE_STEP_MILLISECONDS;
    if ((this.usesNotedAt.get(id) ?? lastUsedAt ?? 0) > staleBefore) return;
    this.usesNotedAt.set(id, now);
    const writing = this.transactions
      .outside(() => this.transactions.runUnsynced(() => this.clients.noteUse(id, now, staleBefore)))
      .catch((error: unknown) => this.logger.warn(errorFields(error), 'use of a chat client not recorded'))
      .finally(() => this.writing.delete(writing));
    this.writing.add(writing);
  }
}
