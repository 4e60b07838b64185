import { Injectable } from '@nestjs/common';
import { FederatedAccountsService, type Admitted } from '../../accounts/federated-accounts.service.js';
import { AccountsService } from '../../accounts/accounts.service.js';
import { BrokerError } from '../../errors/broker-error.js';
import { IdentityProvidersService } from '../../identity-providers/identity-providers.service.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { Session } from '../session.js';
import type { ProvenIdentity } from './sign-in.service.js';
import { SpentCredentialRepository } from './spent-credential.repository.js';

/** The federated half of a sign-in's transaction. */
@Injectable()
export class FederatedAdmission {
  constructor(
    private readonly providers: IdentityProvidersService,
    private readonly spent: SpentCredentialRepository,
    private readonly federated: FederatedAccountsService,
    private readonly accounts: AccountsService,
  ) {}

  /**
   * The user of a proven identity.
   *
   * @param current the session somebody signs in on, if any. @throws BrokerError as `confirm` and
   *   `FederatedAccountsService.admit`.
   */
  async admit({ identity, policy }: ProvenIdentity, current: Session | null): Promise<Admitted> {
    const guestId = await this.guestOf(current);
    // Asked together: PostgreSQL is waited for once. Neither is left to itself when the other one fails, as it would go
    // on outside of the transaction.
    const [confirmed, admitted] = await Promise.allSettled([
      this.confirm(identity),
      this.federated.admit({ identity, policy, guestId }),
    ]);
    if (confirmed.status === 'rejected') throw confirmed.reason;
    if (admitted.status === 'rejected') throw admitted.reason;
    return admitted.value;
  }

  /**
   * What was true when the provider was asked, and has to be true now.
   *
   * @throws BrokerError `unknown_identity_provider` when the provider was disabled or deleted meanwhile;
   *   `invalid_credentials` when the credential may be used once and was.
   */
  async confirm({ provider, oneTime }: VerifiedIdentity): Promise<void> {
    if (!(await this.providers.isInForce(provider.id))) throw new BrokerError('unknown_identity_provider');
    if (!oneTime) return;
    if (!(await this.spent.spend(provider.id, oneTime.id, oneTime.expiresAt.getTime()))) {
      throw new BrokerError('invalid_credentials');
    }
  }

  private async guestOf(current: Session | null): Promise<number | null> {
    if (current === null || current.userId === null) return null;
    const user = await this.accounts.find(current.applicationId, current.userId);
    return user?.guest ? user.id : null;
  }
}
