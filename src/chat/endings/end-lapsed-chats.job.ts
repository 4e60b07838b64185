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

/** What is to be done about a login: nothing, or its chat is ended for this reason, and perhaps it is forgotten. */
type Judgement = { readonly reason: ChatOverReason; readonly isForGood: boolean } | null;

/**
 * Ends chats whose sessions ran into a limit, which is nobody's act: past the absolute end always; over by idling where
 * the application wants it, as an open connection makes no requests. A session that something may bring back (a refresh,
 * a limit that is loosened) stays remembered: another process may let it in again by what it knows.
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
    const forGood = new Groups();
    const lapsed = new Groups();
    for (const login of page) {
      if (login.sessionId === null) continue;
      const judgement = await this.judge(login, fates.get(login.sessionId)!);
      if (judgement?.isForGood) forGood.add(judgement.reason, login.id);
      else if (judgement && !login.isLapsed) lapsed.add(judgement.reason, login.id);
    }
    let done = 0;
    // What the statements answer is what nobody else has ended meanwhile.
    for (const [reason, ids] of forGood.all) {
      const removed = await this.rows.removeAll(ids);
      await this.drop(
        removed.filter(({ isLapsed }) => !isLapsed),
        reason,
      );
      done += removed.length;
    }
    for (const [reason, ids] of lapsed.all) {
      const marked = await this.rows.markLapsed(ids, this.clock.now());
      await this.drop(marked, reason);
      done += marked.length;
    }
    return done;
  }

  private async drop(logins: readonly RememberedLogin[], reason: ChatOverReason): Promise<void> {
    this.logins.forget(logins.flatMap(({ sessionId }) => sessionId ?? []));
    await this.outbox.add(chatDrops(logins, reason, this.clock.now()));
  }

  private async judge({ applicationId, endsAt }: RememberedLogin, fate: SessionFate): Promise<Judgement> {
    if (fate === 'living') return null;
    if (fate === 'ended') return { reason: 'ended', isForGood: true };
    if (fate === 'absolute') return { reason: 'expired', isForGood: false };
    // Over by idling, and perhaps removed since; then the absolute end is the one that it had at the login.
    const isForGood = fate === 'gone';
    if (isForGood && (endsAt === null || this.clock.now() >= endsAt)) return { reason: 'expired', isForGood };
    const application = await this.applications.find(applicationId);
    return !application || application.settings.chat_ends_when_idle ? { reason: 'idle', isForGood } : null;
  }
}

/** Ids of logins by why their chats are over. */
class Groups {
  readonly all = new Map<ChatOverReason, number[]>();

  add(reason: ChatOverReason, id: number): void {
    const ids = this.all.get(reason);
    if (ids) ids.push(id);
    else this.all.set(reason, [id]);
  }
}
