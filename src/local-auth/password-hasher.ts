import { Injectable } from '@nestjs/common';
import argon2 from '@node-rs/argon2';
import { PasswordsConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';

/** `Algorithm.Argon2id`; the library declares it as a const enum, which is not there at run time. */
const ARGON2ID = 2;

/**
 * argon2id (RFC 9106) in a bounded pool: so many hashes at once on libuv's threads, so many waiting, and no more, so
 * that a storm of sign-ins leaves session checks quick and memory bounded.
 */
@Injectable()
export class PasswordHasher {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private dummy: Promise<string> | undefined;

  constructor(private readonly config: PasswordsConfig) {}

  /** Hashes being computed, and callers that wait for a place. */
  get load(): { readonly running: number; readonly waiting: number } {
    return { running: this.running, waiting: this.waiting.length };
  }

  /**
   * @param password normalised. @returns a PHC string with a fresh salt.
   * @throws BrokerError `busy` when too many wait.
   */
  hash(password: string): Promise<string> {
    return this.inPool(() => argon2.hash(password, this.options));
  }

  /**
   * Compares in the time that a comparison takes, whether there is a hash or not: without one, against a hash that
   * nothing matches. What it says then is no, always.
   *
   * @throws BrokerError `busy` when too many wait.
   */
  async verify(hash: string | null, password: string): Promise<boolean> {
    const known = hash ?? (await this.dummyHash());
    const matches = await this.inPool(() => argon2.verify(known, password));
    return hash !== null && matches;
  }

  /** Whether a hash was made with other parameters than those in force. */
  isOutdated(hash: string): boolean {
    const { memoryKib, iterations, parallelism } = this.config;
    return !hash.startsWith(`$argon2id$v=19$m=${memoryKib},t=${iterations},p=${parallelism}$`);
  }

  private get options() {
    const { memoryKib, iterations, parallelism } = this.config;
    return { algorithm: ARGON2ID, memoryCost: memoryKib, timeCost: iterations, parallelism };
  }

  private dummyHash(): Promise<string> {
    this.dummy ??= argon2.hash('a password that nobody has', this.options);
    return this.dummy;
  }

  private async inPool<T>(work: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (this.running < this.config.poolSize) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= this.config.queueLimit)
      throw new BrokerError('busy', { retryAfterSeconds: 2 });
    // The place is handed over by whoever leaves, so `running` stays as it is.
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
