import { Injectable } from '@nestjs/common';
import { AccountsService } from '../../accounts/accounts.service.js';
import { ChatConfig } from '../../config/config.js';
import { BrokerError } from '../../errors/broker-error.js';
import { Transactions } from '../../persistence/transactions.js';
import { LivingSessions } from '../../session/living-sessions.js';
import { Clock } from '../../time/clock.js';
import { ChatLoginRepository } from './chat-login.repository.js';
import type { ChatLogin, SessionLogin } from './chat-login.js';
import { KnownLogins } from './known-logins.js';

/** Remembers who was let into which chat with what, so that it can be ended there when it is over here. */
@Injectable()
export class ChatLogins {
  private readonly known: KnownLogins;
  /** Sessions whose rows are being written, each with the latest writing: an end that comes meanwhile takes it out. */
  private readonly writing = new Map<number, object>();

  constructor(
    private readonly logins: ChatLoginRepository,
    private readonly sessions: LivingSessions,
    private readonly accounts: AccountsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    config: ChatConfig,
  ) {
    this.known = new KnownLogins(config.rememberedSessions);
  }

  /**
   * To be called before a chat server is told to let somebody in. Without a promise, and for nothing, when the login is
   * known; else it is stored, and with it is made sure that the session or the password is still in force: whoever ends
   * it comes before, and then this throws, or after, and then finds what is stored here.
   *
   * @throws BrokerError `session_ended` or `invalid_credentials`: nobody is to be let in. The database's errors: it is
   *   undecided.
   */
  remember(login: ChatLogin): void | Promise<void> {
    if (!isWithSession(login)) return this.storeWithPassword(login);
    return this.known.has(login) ? undefined : this.storeWithSession(login);
  }

  /** Sessions that are over by the transaction under way are not known any more when it has ended. */
  forget(sessionIds: Iterable<number>): void {
    const ids = [...sessionIds];
    if (ids.length === 0) return;
    this.transactions.afterEnd(() => {
      for (const id of ids) {
        this.known.forget(id);
        this.writing.delete(id);
      }
    });
  }

  private async storeWithSession(login: SessionLogin): Promise<void> {
    const { applicationId, userId, session } = login;
    const mark = {};
    this.writing.set(session.id, mark);
    try {
      await this.transactions.run(async () => {
        const held = await this.sessions.hold(applicationId, userId, session.id);
        if (!held) throw new BrokerError('session_ended');
        await this.logins.insert(login, held.absoluteExpiresAt, this.clock.now());
      });
      // Taken out: the session was ended, or another login with it is being stored. The next one asks the database.
      if (this.writing.get(session.id) === mark) this.known.add(login);
    } finally {
      if (this.writing.get(session.id) === mark) this.writing.delete(session.id);
    }
  }

  /** Each time: a password was hashed for it, and beside that a row costs nothing. */
  private storeWithPassword(login: ChatLogin): Promise<void> {
    return this.transactions.run(async () => {
      const user = await this.accounts.findForSignIn(login.applicationId, login.userId);
      if (!user || user.disabled || user.credentialVersion !== login.credentialVersion) {
        throw new BrokerError('invalid_credentials');
      }
      await this.logins.insert(login, null, this.clock.now());
    });
  }
}

function isWithSession(login: ChatLogin): login is SessionLogin {
  return login.session !== null;
}
