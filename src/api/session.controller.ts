import { Body, Controller, Delete, Get, HttpCode, Post, Put, Req, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { BrokerError } from '../errors/broker-error.js';
import { WaysInService } from '../local-auth/ways-in.service.js';
import { RefreshService } from '../session/refresh/refresh.service.js';
import type { Session } from '../session/session.js';
import { SessionService } from '../session/session.service.js';
import { Clock } from '../time/clock.js';
import { CurrentSession } from './caller.js';
import { ClientAuthentication } from './client.guards.js';
import { Operation } from '../http/openapi/operation.decorator.js';
import { refreshBody, signInBody, toPresentedHere } from './requests.js';
import { sessionAnswer, toBegunBody, toRefreshedBody, toSessionBody } from './responses.js';
import { AnySessionGuard, UserSessionGuard } from './session.guards.js';

@Controller('v1/session')
export class SessionController {
  constructor(
    private readonly sessions: SessionService,
    private readonly refreshes: RefreshService,
    private readonly waysIn: WaysInService,
    private readonly clients: ClientAuthentication,
    private readonly applications: ApplicationDirectory,
    private readonly clock: Clock,
  ) {}

  /** The session check as a route: every await here is paid by each call. */
  @Get()
  @UseGuards(AnySessionGuard)
  @Operation({ summary: 'Which session this is', auth: 'session', status: 200, answer: sessionAnswer })
  show(@Req() request: FastifyRequest) {
    const session = request.caller!.session!;
    const application = this.applications.peek(session.applicationId);
    if (!application) return this.showLater(session);
    return { session: toSessionBody(session, application.settings, this.clock.now()) };
  }

  @Delete()
  @HttpCode(204)
  @UseGuards(AnySessionGuard)
  @Operation({ summary: 'End this session', auth: 'session', status: 204 })
  async end(@CurrentSession() session: Session): Promise<void> {
    await this.sessions.end(session);
  }

  @Post('refresh')
  @HttpCode(200)
  @Operation({
    summary: 'The next access and refresh token of a session; the same again when the answer was lost',
    auth: 'none',
    status: 200,
    answer: sessionAnswer,
    errors: ['session_ended', 'invalid_client', 'origin_not_allowed', 'busy'],
  })
  async refresh(
    @Req() request: FastifyRequest,
    @Body({ schema: refreshBody }) body: z.infer<typeof refreshBody>,
  ) {
    // Not needed; but where keys are given, a token of another application is not theirs to use.
    const client = await this.clients.byBasicIfGiven(request);
    const refreshed = await this.refreshes.refresh(body.refresh_token, (application) => {
      if (client && client.application.id !== application.id) throw new BrokerError('session_ended');
      this.clients.admitOrigin(request, application);
    });
    return toRefreshedBody(refreshed);
  }

  @Put('user')
  @UseGuards(AnySessionGuard)
  @Operation({
    summary: 'Sign a user in on this session; the token changes',
    auth: 'session',
    status: 200,
    answer: sessionAnswer,
    errors: [
      'invalid_credentials',
      'unknown_identity_provider',
      'provider_link_only',
      'sign_up_disabled',
      'email_in_use',
      'login_in_use',
      'email_domain_not_allowed',
      'identity_reassigned',
      'guest_conflict',
      'guests_disabled',
      'too_many_requests',
      'busy',
      'identity_provider_unavailable',
      'identity_provider_misconfigured',
    ],
  })
  async signIn(
    @Req() request: FastifyRequest,
    @CurrentSession() session: Session,
    @Body({ schema: signInBody }) body: z.infer<typeof signInBody>,
  ) {
    const client = await this.clients.bySession(request, session.applicationId);
    const begun = await this.waysIn.upgrade(client, session, toPresentedHere(body));
    return toBegunBody(begun, client.application.settings);
  }

  @Delete('user')
  @UseGuards(UserSessionGuard)
  @Operation({
    summary: "Sign the user out and keep the application's session; the token changes",
    auth: 'user session',
    status: 200,
    answer: sessionAnswer,
  })
  async signOut(@Req() request: FastifyRequest, @CurrentSession() session: Session) {
    const { application } = await this.clients.bySession(request, session.applicationId);
    return toBegunBody(await this.sessions.downgrade(session), application.settings);
  }

  private async showLater(session: Session) {
    const application = await this.applications.find(session.applicationId);
    if (!application) throw new BrokerError('session_ended');
    return { session: toSessionBody(session, application.settings, this.clock.now()) };
  }
}
