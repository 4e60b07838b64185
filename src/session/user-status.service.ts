import { Injectable } from '@nestjs/common';
import { AccountsService } from '../accounts/accounts.service.js';
import { AuditLog } from '../audit/audit-log.js';
import { BrokerError } from '../errors/broker-error.js';
import { Transactions } from '../persistence/transactions.js';
import { SessionService } from './session.service.js';

/** Shuts users out and lets them in again. */
@Injectable()
export class UserStatusService {
  constructor(
    private readonly accounts: AccountsService,
    private readonly sessions: SessionService,
    private readonly transactions: Transactions,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Disables or enables a user; disabling ends all their sessions with it. One transaction: a sign-in at the same
   * moment comes before, and its session is ended, or after, and is refused. Doing it twice is no error.
   *
   * @throws BrokerError `user_not_found`
   */
  async setDisabled(applicationId: number, userId: number, disabled: boolean): Promise<void> {
    await this.transactions.run(async () => {
      const changed = await this.accounts.setDisabled(applicationId, userId, disabled);
      if (changed === null) throw new BrokerError('user_not_found');
      const act = disabled ? 'user.disabled' : 'user.enabled';
      if (changed) await this.audit.record({ act, applicationId, userId });
      if (disabled) await this.sessions.endAllOf(applicationId, userId, 'user_disabled');
    });
  }
}
