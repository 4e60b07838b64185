import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import type { Client } from '../local-auth/client.js';
import { WaysInService } from '../local-auth/ways-in.service.js';
import { CurrentClient } from './caller.js';
import { ClientGuard } from './client.guards.js';
import { Operation } from '../http/openapi/operation.decorator.js';
import { beginSessionBody, toPresented } from './requests.js';
import { sessionAnswer, toBegunBody } from './responses.js';

@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly waysIn: WaysInService) {}

  @Post()
  @HttpCode(201)
  @UseGuards(ClientGuard)
  @Operation({
    summary: 'Begin a session: for the application alone, or with a user signed in',
    auth: 'client',
    status: 201,
    answer: sessionAnswer,
    errors: [
      'invalid_client',
      'invalid_credentials',
      'unknown_identity_provider',
      'provider_link_only',
      'sign_up_disabled',
      'email_in_use',
      'login_in_use',
      'email_domain_not_allowed',
      'identity_reassigned',
      'guests_disabled',
      'too_many_requests',
      'busy',
      'identity_provider_unavailable',
      'identity_provider_misconfigured',
    ],
  })
  async begin(
    @CurrentClient() client: Client,
    @Body({ schema: beginSessionBody }) body: z.infer<typeof beginSessionBody>,
  ) {
    const begun = await this.waysIn.begin(client, toPresented(body));
    return toBegunBody(begun, client.application.settings);
  }
}
