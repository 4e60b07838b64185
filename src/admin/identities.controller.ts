import { Controller, Get, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { AccountsService } from '../accounts/accounts.service.js';
import { FederatedAccountsService } from '../accounts/federated-accounts.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { Transactions } from '../persistence/transactions.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { toId } from './requests.js';
import { identitiesAnswer, identityAnswer, toIdentityBody } from './responses.js';

/** The identities by which a user signs in. */
@Controller('admin/v1/applications/:id/users/:user_id/identities')
@UseGuards(AdminKeyGuard)
export class AdminIdentitiesController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly federated: FederatedAccountsService,
    private readonly transactions: Transactions,
  ) {}

  @Get()
  @AdminOperation('viewer', {
    summary: "A user's identities, oldest first",
    status: 200,
    answer: identitiesAnswer,
    errors: ['user_not_found'],
  })
  async list(@Param('id') id: string, @Param('user_id') user: string) {
    const [applicationId, userId] = [toId(id, 'user_not_found'), toId(user, 'user_not_found')];
    if (!(await this.accounts.find(applicationId, userId))) throw new BrokerError('user_not_found');
    return { items: (await this.federated.list(applicationId, userId)).map(toIdentityBody) };
  }

  @Post(':identity_id/disable')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Let nobody sign in as the user by this identity; running sessions go on',
    status: 200,
    answer: identityAnswer,
    errors: ['identity_not_found'],
  })
  disable(@Param('id') id: string, @Param('user_id') user: string, @Param('identity_id') identity: string) {
    return this.setDisabled(id, user, identity, true);
  }

  @Post(':identity_id/enable')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Let them sign in by this identity again',
    status: 200,
    answer: identityAnswer,
    errors: ['identity_not_found'],
  })
  enable(@Param('id') id: string, @Param('user_id') user: string, @Param('identity_id') identity: string) {
    return this.setDisabled(id, user, identity, false);
  }

  private async setDisabled(
    application: string,
    user: string,
    identity: string,
    disabled: boolean,
  ): Promise<z.infer<typeof identityAnswer>> {
    const [applicationId, userId, id] = [application, user, identity].map((parameter) =>
      toId(parameter, 'identity_not_found'),
    ) as [number, number, number];
    return this.transactions.run(async () => ({
      identity: toIdentityBody(await this.federated.setDisabled(applicationId, userId, id, disabled)),
    }));
  }
}
