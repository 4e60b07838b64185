import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { AccountsService } from '../accounts/accounts.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { ChangePasswordService } from '../local-auth/change-password.service.js';
import { SessionService } from '../session/session.service.js';
import { Clock } from '../time/clock.js';
import { CurrentSession, type UserSession } from './caller.js';
import { ClientAuthentication } from './client.guards.js';
import { Operation } from '../http/openapi/operation.decorator.js';
import { changePasswordBody, givenIdentifiers, sessionsQuery } from './requests.js';
import {
  sessionAnswer,
  sessionsAnswer,
  toBegunBody,
  toSessionBody,
  toUserBody,
  userAnswer,
} from './responses.js';
import { UserSessionGuard } from './session.guards.js';

/** What signed-in users do with their own account. */
@Controller('v1/users/me')
@UseGuards(UserSessionGuard)
export class MeController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly passwords: ChangePasswordService,
    private readonly sessions: SessionService,
    private readonly clients: ClientAuthentication,
    private readonly clock: Clock,
  ) {}

  @Get()
  @Operation({ summary: 'Who is signed in', auth: 'user session', status: 200, answer: userAnswer })
  async show(@CurrentSession() session: UserSession) {
    const user = await this.accounts.find(session.applicationId, session.userId);
    if (!user) throw new BrokerError('session_ended');
    return { user: toUserBody(user) };
  }

  @Put('password')
  @Operation({
    summary:
      'Change the password, or give a guest or federated user a first one; other sessions end, the token changes',
    auth: 'user session',
    status: 200,
    answer: sessionAnswer,
    errors: [
      'invalid_credentials',
      'fresh_sign_in_required',
      'identifier_taken',
      'password_refused',
      'too_many_requests',
      'busy',
    ],
  })
  async changePassword(
    @Req() request: FastifyRequest,
    @CurrentSession() session: UserSession,
    @Body({ schema: changePasswordBody }) body: z.infer<typeof changePasswordBody>,
  ) {
    const client = await this.clients.bySession(request, session.applicationId);
    const begun = await this.passwords.change(client, session, {
      oldPassword: body.old_password,
      password: body.password,
      identifiers: givenIdentifiers(body),
    });
    return toBegunBody(begun, client.application.settings);
  }

  @Get('sessions')
  @Operation({
    summary: 'My living sessions, newest first',
    auth: 'user session',
    status: 200,
    answer: sessionsAnswer,
  })
  async listSessions(
    @Req() request: FastifyRequest,
    @CurrentSession() session: UserSession,
    @Query({ schema: sessionsQuery }) query: z.infer<typeof sessionsQuery>,
  ) {
    const { application } = await this.clients.bySession(request, session.applicationId);
    const { sessions, nextBeforeId } = await this.sessions.list(session, {
      limit: query.limit,
      ...(query.cursor !== undefined && { beforeId: Number(query.cursor) }),
    });
    const now = this.clock.now();
    return {
      items: sessions.map((item) => ({
        ...toSessionBody(item, application.settings, item.id === session.id ? now : item.lastUsedAt),
        current: item.id === session.id,
      })),
      next_cursor: nextBeforeId === null ? null : String(nextBeforeId),
    };
  }

  @Delete('sessions/:id')
  @HttpCode(204)
  @Operation({
    summary: 'End one of my sessions',
    auth: 'user session',
    status: 204,
    errors: ['session_not_found'],
  })
  async endSession(@CurrentSession() session: UserSession, @Param('id') id: string): Promise<void> {
    if (!/^[1-9]\d{0,14}$/.test(id)) throw new BrokerError('session_not_found');
    await this.sessions.endOne(session, Number(id));
  }

  @Delete('sessions')
  @HttpCode(204)
  @Operation({ summary: 'End all my other sessions', auth: 'user session', status: 204 })
  async endOtherSessions(@CurrentSession() session: UserSession): Promise<void> {
    await this.sessions.endOthers(session);
  }
}
