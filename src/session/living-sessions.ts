import { Injectable } from '@nestjs/common';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ApplicationsService } from '../applications/applications.service.js';
import { Clock } from '../time/clock.js';
import { sessionEnd, type Session } from './session.js';
import { SessionRepository, type StoredSession } from './session.repository.js';

/**
 * What became of a session: `living`, over by one of its limits, or ended by somebody. `gone`: it is not there any
 * more, a day or more after it was over in such a way that nothing brings it back.
 */
export type SessionFate = 'living' | 'idle' | 'absolute' | 'ended' | 'gone';

/** Answers features above that keep something for sessions, and have to know whether these are still in force. */
@Injectable()
export class LivingSessions {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly applications: ApplicationsService,
    private readonly directory: ApplicationDirectory,
    private readonly clock: Clock,
  ) {}

  /**
   * The session, if it is this user's and nobody has ended it; held until the caller's transaction ends, so that
   * whoever ends it meanwhile comes afterwards, and sees what the caller has written. Limits of time are not judged.
   */
  async hold(applicationId: number, userId: number, sessionId: number): Promise<Session | null> {
    const stored = await this.sessions.findHeld(sessionId);
    if (!stored || stored.endReason !== null) return null;
    const { session } = stored;
    if (session.applicationId !== applicationId || session.userId !== userId) return null;
    const endedUpTo = await this.applications.holdSessionsEndedUpTo(applicationId);
    return endedUpTo !== null && session.id > endedUpTo ? session : null;
  }

  /** What became of each of the sessions. Uses that are not written yet are not known. */
  async fates(ids: readonly number[]): Promise<ReadonlyMap<number, SessionFate>> {
    const fates = new Map<number, SessionFate>(ids.map((id) => [id, 'gone']));
    for (const stored of await this.sessions.findAll(ids)) {
      fates.set(stored.session.id, await this.fateOf(stored));
    }
    return fates;
  }

  private async fateOf({ session, endReason }: StoredSession): Promise<SessionFate> {
    const application = await this.directory.find(session.applicationId);
    if (!application || endReason !== null || session.id <= application.sessionsEndedUpTo) return 'ended';
    return sessionEnd(session, application.settings, this.clock.now()) ?? 'living';
  }
}
