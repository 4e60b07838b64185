import { Body, Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { ApplicationsService } from '../applications/applications.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { Transactions } from '../persistence/transactions.js';
import { SessionService } from '../session/session.service.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { rotateSecretBody, toId } from './requests.js';
import { applicationAnswer, toApplicationWithSecretBody } from './responses.js';

/** The secrets by which applications prove themselves. */
@Controller('admin/v1/applications/:id/rotate-secret')
@UseGuards(AdminKeyGuard)
export class AdminSecretsController {
  constructor(
    private readonly applications: ApplicationsService,
    private readonly sessions: SessionService,
    private readonly transactions: Transactions,
  ) {}

  @Post()
  @HttpCode(200)
  @AdminOperation('owner', {
    summary: 'Give the application a new auth_secret; the old one is refused within two seconds',
    status: 200,
    answer: applicationAnswer,
    errors: ['application_not_found'],
  })
  async rotate(
    @Param('id') id: string,
    @Body({ schema: rotateSecretBody }) body: z.infer<typeof rotateSecretBody>,
  ) {
    const applicationId = toId(id, 'application_not_found');
    // Both or neither: an answer that never comes must not leave open which of the two was done.
    return this.transactions.run(async () => {
      const application = await this.applications.rotateSecret(applicationId);
      if (!application) throw new BrokerError('application_not_found');
      if (body.end_sessions) await this.sessions.endAllOfApplication(applicationId);
      return toApplicationWithSecretBody(application);
    });
  }
}
