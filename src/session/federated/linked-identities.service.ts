import { Injectable } from '@nestjs/common';
import { AccountsService } from '../../accounts/accounts.service.js';
import type { ExternalIdentity } from '../../accounts/external-identity.js';
import { FederatedAccountsService } from '../../accounts/federated-accounts.service.js';
import { BrokerError } from '../../errors/broker-error.js';
import { isUniqueViolation } from '../../persistence/store-errors.js';
import { Transactions } from '../../persistence/transactions.js';
import { Clock } from '../../time/clock.js';
import { requireFreshSignIn } from '../fresh-sign-in.js';
import type { Session } from '../session.js';
import { FederatedAdmission } from './federated-admission.js';
import type { ProvenIdentity } from './sign-in.service.js';

type UserSession = Session & { readonly userId: number };

/** The ways in of a signed-in user. */
@Injectable()
export class LinkedIdentitiesService {
  constructor(
    private readonly federated: FederatedAccountsService,
    private readonly admission: FederatedAdmission,
    private readonly accounts: AccountsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  list({ applicationId, userId }: UserSession): Promise<ExternalIdentity[]> {
    return this.federated.list(applicationId, userId);
  }

  /**
   * Whether the session may change how its user gets in. Asked before a credential is: one that can be used once is
   * not wasted. @throws BrokerError `fresh_sign_in_required`, `session_ended`
   */
  async authorise(session: UserSession): Promise<void> {
    const user = await this.accounts.find(session.applicationId, session.userId);
    if (!user) throw new BrokerError('session_ended');
    // A guest has proven nothing but to hold this session, and has nothing else to prove.
    if (!user.guest) requireFreshSignIn(session, this.clock.now());
  }

  /**
   * Adds an identity. A guest becomes a user who can sign in again.
   *
   * @returns the identity as it is listed.
   * @throws BrokerError as `authorise`; `identity_already_linked`; `email_domain_not_allowed`; `unknown_identity_provider` when the provider was
   *   disabled meanwhile.
   */
  async link(session: UserSession, proven: ProvenIdentity): Promise<ExternalIdentity> {
    await this.authorise(session);
    const { identity } = proven;
    try {
      return await this.transactions.run(async () => {
        await this.admission.confirm(identity);
        await this.federated.link(proven, session.userId);
        const links = await this.federated.list(session.applicationId, session.userId);
        return links.find(
          (link) => link.providerId === identity.provider.id && link.subject === identity.subject,
        )!;
      });
    } catch (error) {
      throw isUniqueViolation(error) ? new BrokerError('identity_already_linked') : error;
    }
  }

  /** @throws BrokerError as `authorise`; `identity_not_found`, `last_way_in` */
  async unlink(session: UserSession, id: number): Promise<void> {
    requireFreshSignIn(session, this.clock.now());
    await this.transactions.run(() => this.federated.unlink(session.applicationId, session.userId, id));
  }
}
