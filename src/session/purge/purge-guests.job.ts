import { Injectable } from '@nestjs/common';
import { AccountsService } from '../../accounts/accounts.service.js';
import type { Guest } from '../../accounts/user.js';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import type { Job, JobBatch } from '../../jobs/job.js';
import { Clock } from '../../time/clock.js';
import { OverSessions } from './over-sessions.js';
import { PurgeRepository } from './purge.repository.js';

const BATCH = 200;

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/** Uses are written a moment after they happen, and a guest that was removed by mistake is gone for good. */
const MARGIN_MILLISECONDS = 60 * 60 * 1000;

/**
 * Removes guests whom nothing can bring in again and who were not here for `guest_idle_days`. A session that lives or
 * that a refresh revives keeps a guest, and so does any refresh token: `purge-refresh-tokens` removes those first.
 */
@Injectable()
export class PurgeGuestsJob implements Job {
  readonly name = 'purge-guests';
  readonly everySeconds = 24 * 60 * 60;

  constructor(
    private readonly accounts: AccountsService,
    private readonly applications: ApplicationDirectory,
    private readonly purge: PurgeRepository,
    private readonly overSessions: OverSessions,
    private readonly clock: Clock,
  ) {}

  /** The cursor is the id of the last user looked at. */
  async runBatch(cursor: string | null): Promise<JobBatch> {
    const page = await this.accounts.guestsAfter(Number(cursor ?? 0), BATCH);
    const candidates = await this.abandonedAmong(page.guests);
    // A sign-in, a session that begins or a password that is set waits for the lock, or is not waited for.
    const locked = candidates.length === 0 ? [] : await this.accounts.lockGuests(candidates);
    const abandoned = await this.abandonedAmong(locked);
    await this.accounts.removeGuests(abandoned);
    return { done: abandoned.length, nextCursor: page.nextId === null ? null : String(page.nextId) };
  }

  private async abandonedAmong(guests: readonly Guest[]): Promise<Guest[]> {
    const absent: Guest[] = [];
    for (const guest of guests) if (await this.isLongAbsent(guest)) absent.push(guest);
    if (absent.length === 0) return [];
    const kept = await this.keptAmong(absent);
    return absent.filter(({ id }) => !kept.has(id));
  }

  private async isLongAbsent({ applicationId, lastRequestAt, createdAt }: Guest): Promise<boolean> {
    const application = await this.applications.find(applicationId);
    if (!application) return false;
    const absentSince = Math.max(lastRequestAt ?? 0, createdAt);
    const allowed = application.settings.guest_idle_days * DAY_MILLISECONDS + MARGIN_MILLISECONDS;
    return this.clock.now() >= absentSince + allowed;
  }

  /** Those whom a session, living or to be revived, or a refresh token may still bring in. */
  private async keptAmong(guests: readonly Guest[]): Promise<ReadonlySet<number | null>> {
    const sessions = await this.purge.sessionsOfUsers(guests.map(({ id }) => id));
    if (sessions.length === 0) return new Set();
    const over = new Set(await this.overSessions.among(sessions, this.clock.now()));
    const withToken = await this.purge.sessionsWithToken(sessions);
    const keeping = sessions.filter((found) => !over.has(found) || withToken.has(found.session.id));
    return new Set(keeping.map(({ session }) => session.userId));
  }
}
