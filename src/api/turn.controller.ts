import { Controller, Get, UseGuards } from '@nestjs/common';
import { TurnCredentials } from '../chat/turn-credentials.js';
import { BrokerError } from '../errors/broker-error.js';
import { Operation } from '../http/openapi/operation.decorator.js';
import { CurrentSession, type UserSession } from './caller.js';
import { iceServersAnswer, toIceServersBody } from './responses.js';
import { UserSessionGuard } from './session.guards.js';

/** What an app needs for calls beside the chat. */
@Controller('chat/turn')
@UseGuards(UserSessionGuard)
export class TurnController {
  constructor(private readonly credentials: TurnCredentials) {}

  @Get()
  @Operation({
    summary: 'Credentials for the TURN server, which work for some minutes',
    auth: 'user session',
    status: 200,
    answer: iceServersAnswer,
    errors: ['route_not_found'],
  })
  async show(@CurrentSession() session: UserSession) {
    const server = await this.credentials.issue(session);
    if (!server) throw new BrokerError('route_not_found');
    return toIceServersBody(server);
  }
}
