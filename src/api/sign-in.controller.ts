import { Body, Controller, Get, Header, HttpCode, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Operation } from '../http/openapi/operation.decorator.js';
import type { Client } from '../local-auth/client.js';
import { NoncesService } from '../session/federated/nonces.service.js';
import { RedirectSignInService } from '../session/redirect/redirect-sign-in.service.js';
import { CurrentClient } from './caller.js';
import { SessionOrClientGuard } from './client.guards.js';
import { lostPage } from './lost-page.js';
import { issueNonceBody, startRedirectBody } from './requests.js';
import { nonceAnswer, startRedirectAnswer } from './responses.js';

/** What has to be had from us before a sign-in: an address for a browser, or a nonce for an ID token. */
@Controller('v1/sign-in')
export class SignInController {
  constructor(
    private readonly redirects: RedirectSignInService,
    private readonly nonces: NoncesService,
  ) {}

  /**
   * Where the provider sends the browser back to. Whoever looks at the browser's addresses learns a one-time code, and
   * needs the app's code verifier to use it.
   */
  @Get('callback')
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'no-referrer')
  @Operation({
    summary: 'Where providers send browsers back to; ends at the redirect URI',
    auth: 'none',
    status: 303,
    isPage: true,
  })
  async callBack(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    // Fastify answers HEAD wherever it answers GET; whoever looks at an address that way must not use it up.
    const isLook = request.method === 'HEAD';
    const url = isLook ? null : await this.redirects.callBack(singleValues(request.query));
    if (url) return void reply.code(303).header('location', url.href).send();
    void reply
      .code(400)
      .header('content-type', 'text/html; charset=utf-8')
      .headers(lostPage.headers)
      .send(lostPage.html);
  }

  @Post(':provider')
  @HttpCode(200)
  @UseGuards(SessionOrClientGuard)
  @Operation({
    summary: 'Begin a sign-in in a browser; its one-time code is traded for a session, an upgrade or a link',
    auth: 'session or client',
    status: 200,
    answer: startRedirectAnswer,
    errors: [
      'invalid_client',
      'unknown_identity_provider',
      'identity_provider_unavailable',
      'identity_provider_misconfigured',
    ],
  })
  async start(
    @Req() request: FastifyRequest,
    @CurrentClient() client: Client,
    @Param('provider') provider: string,
    @Body({ schema: startRedirectBody }) body: z.infer<typeof startRedirectBody>,
  ) {
    const url = await this.redirects.start({
      application: client.application,
      provider,
      redirectUri: body.redirect_uri,
      codeChallenge: body.code_challenge,
      clientState: body.state ?? null,
      sessionId: request.caller!.session?.id ?? null,
    });
    return { authorization_url: url.href };
  }

  @Post(':provider/nonces')
  @HttpCode(201)
  @UseGuards(SessionOrClientGuard)
  @Operation({
    summary: 'Get a nonce for the ID token that an app asks a provider for; used once, within ten minutes',
    auth: 'session or client',
    status: 201,
    answer: nonceAnswer,
    errors: ['invalid_client', 'unknown_identity_provider', 'identity_provider_misconfigured'],
  })
  async issueNonce(
    @CurrentClient() client: Client,
    @Param('provider') provider: string,
    @Body({ schema: issueNonceBody }) _body: z.infer<typeof issueNonceBody>,
  ) {
    const { nonce, expiresAt } = await this.nonces.issue(client.application, provider);
    return { nonce, expires_at: expiresAt.toISOString() };
  }
}

/** Values that came once. One that came twice may be read differently by two readers. */
function singleValues(query: unknown): Record<string, string> {
  const entries = Object.entries((query ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
