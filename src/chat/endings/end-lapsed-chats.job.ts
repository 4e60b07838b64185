import { Injectable } from '@nestjs/common';
import { ApplicationDirectory } from '../../applications/application-directory.js';
import type { Job, JobBatch } from '../../jobs/job.js';
import { Outbox } from '../../outbox/outbox.js';
import { LivingSessions, type SessionFate } from '../../session/living-sessions.js';
import { Clock } from '../../time/clock.js';
import { chatDrops, type ChatOverReason } from './chat-drop.js';
import type { RememberedLogin } from './chat-login.js';
import { ChatLoginRepository } from './chat-login.repository.js';
import { ChatLogins } from './chat-logins.js';

const BATCH = 200;

type Verdict = ChatOverReason | null;

/**
 * Ends chats whose sessions ran into a limit, which is nobody's act: past the absolute end always; over by idling where
 * the application wants it, as an open connection makes no requests. What was remembered of them goes with that.
 */
@Injectable()
export class EndLapsedChatsJob implements Job {
  readonly name = 'end-lapsed-chats';
  readonly everySeconds = 5 * 60;

  constructor(
    private readonly rows: ChatLoginRepository,
    private readonly logins: ChatLogins,
    private readonly sessions: LivingSessions,
    private readonly applications: ApplicationDirectory,
    private readonly outbox: Outbox,
    private readonly clock: Clock,
  ) {}

  /** The cursor is the id of the last login looked at. */
  async runBatch(cursor: string | null): Promise<JobBatch> {
    const page = await this.rows.after(Number(cursor ?? 0), BATCH);
    const done = await this.endLapsed(page);
    return { done, nextCursor: page.length < BATCH ? null : String(page.at(-1)!.id) };
  }

  private async endLapsed(page: readonly RememberedLogin[]): Promise<number> {
    const fates = await this.sessions.fates([...new Set(page.flatMap(({ sessionId }) => sessionId ?? []))]);
    const over = new Map<ChatOverReason, number[]>();
    for (const login of page) {
      const reason = login.sessionId === null ? null : await this.judge(login, fates.get(login.sessionId)!);
      if (reason !== null) over.set(reason, [...(over.get(reason) ?? []), login.id]);
    }
    let done = 0;
    for (const [reason, ids] of over) {
      // Those that nobody has ended meanwhile.
      const removed = await this.rows.removeAll(ids);
      this.logins.forget(removed.flatMap(({ sessionId }) => sessionId ?? []));
      await this.outbox.add(chatDrops(removed, reason, this.clock.now()));
      done += removed.length;
    }
    return done;
  }

  /** Why the chat is over, or null where it goes on. */
  private async judge({ applicationId, endsAt }: RememberedLogin, fate: SessionFate): Promise<Verdict> {
    if (fate === 'living') return null;
    if (fate === 'ended') return 'ended';
    if (fate === 'absolute') return 'expired';
    // Over by idling, and perhaps removed since; then the absolute end is the one that it had at the login.
    const application = await this.applications.find(applicationId);
    if (!application || application.settings.chat_ends_when_idle) return 'idle';
    const isPastItsEnd = endsAt === null || this.clock.now() >= endsAt;
    return fate === 'gone' && isPastItsEnd ? 'expired' : null;
  }
}
