import { Injectable } from '@nestjs/common';
import type { Application } from '../../applications/application.js';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import { isOverForGood, type EndedOrNot } from './over-for-good.js';
import { PurgeRepository } from './purge.repository.js';

/** Finds the sessions that are over for good, by the settings in force. */
@Injectable()
export class OverSessions {
  constructor(
    private readonly purge: PurgeRepository,
    private readonly applications: ApplicationDirectory,
  ) {}

  /** Those of the sessions that were over for good at `asOf`, as they were read. */
  async among(sessions: readonly EndedOrNot[], asOf: number): Promise<EndedOrNot[]> {
    const applications = await this.applicationsOf(sessions);
    const over = (candidate: EndedOrNot, hasLiveToken: boolean) => {
      const application = applications.get(candidate.session.applicationId);
      return application !== undefined && isOverForGood(candidate, application, hasLiveToken, asOf);
    };
    const candidates = sessions.filter((session) => over(session, false));
    if (candidates.length === 0) return [];
    const live = await this.purge.sessionsWithLiveToken(candidates);
    return candidates.filter((candidate) => over(candidate, live.has(candidate.session.id)));
  }

  /**
   * As `among`, and held so that they stay over: judged once more under a lock on each, because a refresh may have
   * come between. Only what is over is locked: locks on living sessions would hold up the recording of their uses.
   */
  async lockAmong(sessions: readonly EndedOrNot[], asOf: number): Promise<EndedOrNot[]> {
    const candidates = await this.among(sessions, asOf);
    if (candidates.length === 0) return [];
    return this.among(await this.purge.lockSessions(candidates), asOf);
  }

  /** The application of a session that has none any more is about to take the session with it. */
  private async applicationsOf(sessions: readonly EndedOrNot[]): Promise<ReadonlyMap<number, Application>> {
    const found = new Map<number, Application>();
    for (const id of new Set(sessions.map(({ session }) => session.applicationId))) {
      const application = await this.applications.find(id);
      if (application) found.set(id, application);
    }
    return found;
  }
}
