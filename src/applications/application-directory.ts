import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AllowedOrigins } from '../http/cors.js';
import { sameSecret } from '../secrets/secrets.js';
import { Clock } from '../time/clock.js';
import type { Application } from './application.js';
import { ApplicationRepository } from './application.repository.js';

/** From this age on, what is kept is read again in the background while it is still used. */
const REFRESH_AFTER_MILLISECONDS = 500;

/** What is kept longer than this without being confirmed is not used: changes are seen within two seconds. */
const USABLE_MILLISECONDS = 1500;

const MAX_APPLICATIONS = 10_000;

/** What a stored key can look like. The databases disagree about other text: PostgreSQL takes no NUL. */
const AUTH_KEY = /^[\x21-\x7e]{1,64}$/;

interface Kept {
  readonly application: Application;
  /** By the monotonic clock, when the read began. */
  readonly readAt: number;
}

/**
 * Applications as every request needs them: at once from memory, confirmed against the database twice a second while
 * in use. When the database is away, what is kept runs out and callers get the database's error.
 */
@Injectable()
export class ApplicationDirectory extends AllowedOrigins {
  private readonly kept = new LRUCache<number, Kept>({ max: MAX_APPLICATIONS });
  private readonly idsByAuthKey = new LRUCache<string, number>({ max: MAX_APPLICATIONS });
  private readonly reading = new Map<number, Promise<Application | null>>();
  private origins: { readonly all: ReadonlySet<string>; readonly readAt: number } | undefined;

  constructor(
    private readonly applications: ApplicationRepository,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** The application if it can be had without waiting; else undefined, and `find` is to be asked. */
  peek(id: number): Application | undefined {
    const kept = this.kept.get(id);
    if (kept === undefined) return undefined;
    const age = this.clock.monotonic() - kept.readAt;
    if (age > USABLE_MILLISECONDS) return undefined;
    if (age > REFRESH_AFTER_MILLISECONDS && !this.reading.has(id)) {
      this.read(id, () => this.applications.findInBackground(id)).catch(() => undefined);
    }
    return kept.application;
  }

  /** @returns null when there is no such application. */
  async find(id: number): Promise<Application | null> {
    return this.peek(id) ?? this.read(id);
  }

  /** The application whose backend shows both of its keys; null when they are not those of one application. */
  async authenticate(authKey: string, authSecret: string): Promise<Application | null> {
    const application = await this.findByAuthKey(authKey);
    // Compared even when there is nothing to compare with, so that the time does not tell which keys exist.
    const matches = sameSecret(authSecret, application?.authSecret ?? '');
    return matches ? application : null;
  }

  async findByAuthKey(authKey: string): Promise<Application | null> {
    if (!AUTH_KEY.test(authKey)) return null;
    const id = this.idsByAuthKey.get(authKey);
    if (id !== undefined) return this.find(id);
    const startedAt = this.clock.monotonic();
    const found = await this.applications.findByAuthKey(authKey);
    if (found) this.keep(found, startedAt);
    return found;
  }

  /** Forgets what is kept, after a change made in this process. */
  drop(id: number): void {
    this.kept.delete(id);
    this.reading.delete(id);
    this.origins = undefined;
  }

  override async includes(origin: string): Promise<boolean> {
    const now = this.clock.monotonic();
    if (!this.origins || now - this.origins.readAt > REFRESH_AFTER_MILLISECONDS) {
      this.origins = { all: await this.applications.listAllowedOrigins(), readAt: now };
    }
    return this.origins.all.has(origin);
  }

  /** One read at a time for each application. */
  private read(id: number, find = () => this.applications.find(id)): Promise<Application | null> {
    const underWay = this.reading.get(id);
    if (underWay) return underWay;
    const startedAt = this.clock.monotonic();
    const reading = find()
      .then((found) => {
        // Dropped meanwhile: what was read may be from before the change.
        if (this.reading.get(id) !== reading) return found;
        if (found) this.keep(found, startedAt);
        else this.kept.delete(id);
        return found;
      })
      .finally(() => {
        if (this.reading.get(id) === reading) this.reading.delete(id);
      });
    this.reading.set(id, reading);
    return reading;
  }

  private keep(application: Application, readAt: number): void {
    this.kept.set(application.id, { application, readAt });
    this.idsByAuthKey.set(application.authKey, application.id);
  }
}
