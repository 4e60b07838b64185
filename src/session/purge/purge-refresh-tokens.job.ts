import { Injectable } from '@nestjs/common';
import type { Job, JobBatch } from '../../jobs/job.js';
import { Clock } from '../../time/clock.js';
import { OverSessions } from './over-sessions.js';
import { PurgeRepository, type TokenOfSession } from './purge.repository.js';

const BATCH = 200;

/**
 * Removes the refresh tokens of sessions that are over for good, at once: nothing tells them from unknown ones. Those
 * of any other session stay, used ones too: that a used one comes again is how a theft shows.
 */
@Injectable()
export class PurgeRefreshTokensJob implements Job {
  readonly name = 'purge-refresh-tokens';
  readonly everySeconds = 60 * 60;

  constructor(
    private readonly purge: PurgeRepository,
    private readonly overSessions: OverSessions,
    private readonly clock: Clock,
  ) {}

  /** The cursor is the hash of the last token looked at. */
  async runBatch(cursor: string | null): Promise<JobBatch> {
    const page = await this.purge.tokensAfter(cursor ?? '', BATCH);
    const over = await this.overSessions.lockAmong(sessionsOf(page), this.clock.now());
    const ids = new Set(over.map(({ session }) => session.id));
    const hashes = page.filter(({ of }) => ids.has(of.session.id)).map(({ tokenHash }) => tokenHash);
    if (hashes.length > 0) await this.purge.removeTokens(hashes);
    return { done: hashes.length, nextCursor: page.length < BATCH ? null : page.at(-1)!.tokenHash };
  }
}

function sessionsOf(page: readonly TokenOfSession[]) {
  return [...new Map(page.map(({ of }) => [of.session.id, of])).values()];
}
