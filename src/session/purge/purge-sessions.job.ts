import { Injectable } from '@nestjs/common';
import type { Job, JobBatch } from '../../jobs/job.js';
import { Clock } from '../../time/clock.js';
import { OverSessions } from './over-sessions.js';
import { PurgeRepository } from './purge.repository.js';

const BATCH = 200;

/** A family of refresh tokens may be large, and goes in pieces before its session does. */
const TOKENS_PER_BATCH = 400;

/** The log tells revoked and expired tokens from unknown ones for so long. */
const KEPT_MILLISECONDS = 24 * 60 * 60 * 1000;

/** Removes sessions a day after they are over for good. */
@Injectable()
export class PurgeSessionsJob implements Job {
  readonly name = 'purge-sessions';
  readonly everySeconds = 6 * 60 * 60;

  constructor(
    private readonly purge: PurgeRepository,
    private readonly overSessions: OverSessions,
    private readonly clock: Clock,
  ) {}

  /** The cursor is the id of the last session looked at. */
  async runBatch(cursor: string | null): Promise<JobBatch> {
    const page = await this.purge.sessionsAfter(Number(cursor ?? 0), BATCH);
    const over = await this.overSessions.lockAmong(page, this.clock.now() - KEPT_MILLISECONDS);
    if (over.length === 0) return { done: 0, nextCursor: after(page) };

    const tokens = await this.purge.removeTokensOf(over, TOKENS_PER_BATCH);
    const done = await this.purge.removeSessions(over);
    // Some have more tokens than a batch removes: the same page again.
    const isWhole = tokens < TOKENS_PER_BATCH || done === over.length;
    return { done: done + tokens, nextCursor: isWhole ? after(page) : (cursor ?? '0') };
  }
}

function after(page: readonly { readonly session: { readonly id: number } }[]): string | null {
  return page.length < BATCH ? null : String(page.at(-1)!.session.id);
}
