import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { BrokerError } from '../errors/broker-error.js';
import { Operation } from '../http/openapi/operation.decorator.js';
import { WaysInService } from '../local-auth/ways-in.service.js';
import { LinkedIdentitiesService } from '../session/federated/linked-identities.service.js';
import { CurrentSession, type UserSession } from './caller.js';
import { ClientAuthentication } from './client.guards.js';
import { linkBody, toPresentedIdentity } from './requests.js';
import { identitiesAnswer, identityAnswer, toIdentityBody } from './responses.js';
import { UserSessionGuard } from './session.guards.js';

/** The identities of other parties that lead to the signed-in user. */
@Controller('v1/users/me/identities')
@UseGuards(UserSessionGuard)
export class IdentitiesController {
  constructor(
    private readonly identities: LinkedIdentitiesService,
    private readonly waysIn: WaysInService,
    private readonly clients: ClientAuthentication,
  ) {}

  @Get()
  @Operation({
    summary: 'My ways in besides a password',
    auth: 'user session',
    status: 200,
    answer: identitiesAnswer,
  })
  async list(@CurrentSession() session: UserSession) {
    return { items: (await this.identities.list(session)).map(toIdentityBody) };
  }

  @Post()
  @HttpCode(201)
  @Operation({
    summary: 'Link one more identity, proved with a fresh credential',
    auth: 'user session',
    status: 201,
    answer: identityAnswer,
    errors: [
      'fresh_sign_in_required',
      'identity_already_linked',
      'invalid_credentials',
      'unknown_identity_provider',
      'too_many_requests',
      'busy',
      'identity_provider_unavailable',
      'identity_provider_misconfigured',
    ],
  })
  async link(
    @Req() request: FastifyRequest,
    @CurrentSession() session: UserSession,
    @Body({ schema: linkBody }) body: z.infer<typeof linkBody>,
  ) {
    const presented = toPresentedIdentity(body);
    await this.identities.authorise(session);
    const client = await this.clients.bySession(request, session.applicationId);
    const proven = await this.waysIn.proveIdentity(client, presented, session.id, 'link');
    return { identity: toIdentityBody(await this.identities.link(session, proven)) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Operation({
    summary: 'Unlink an identity; never the last way in',
    auth: 'user session',
    status: 204,
    errors: ['fresh_sign_in_required', 'identity_not_found', 'last_way_in'],
  })
  async unlink(@CurrentSession() session: UserSession, @Param('id') id: string): Promise<void> {
    const isId = /^[1-9]\d{0,9}$/.test(id) && Number(id) < 2 ** 31;
    if (!isId) throw new BrokerError('identity_not_found');
    await this.identities.unlink(session, Number(id));
  }
}
