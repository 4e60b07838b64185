import { Controller, Get, Header, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ServerConfig } from '../../config/config.js';
import { PRODUCT_VERSION } from '../../version.js';
import { MeController } from '../me.controller.js';
import { SessionController } from '../session.controller.js';
import { SessionsController } from '../sessions.controller.js';
import { UsersController } from '../users.controller.js';
import { renderDocs } from './docs-page.js';
import { buildOpenApi } from './openapi-document.js';

/** The native face described, for machines and for people. Made when first asked for. */
@Controller()
export class OpenApiController {
  private document: Record<string, unknown> | undefined;

  constructor(private readonly server: ServerConfig) {}

  @Get('openapi.json')
  json(@Req() request: FastifyRequest): Record<string, unknown> {
    // The address this very connection arrived at, and never the Host header, which is the client's to choose.
    const { localAddress, localPort } = request.socket;
    this.document ??= buildOpenApi(
      [SessionsController, SessionController, UsersController, MeController],
      this.server.publicUrl ?? `http://${localAddress ?? 'localhost'}:${localPort ?? 0}`,
      PRODUCT_VERSION,
    );
    return this.document;
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
  page(@Req() request: FastifyRequest): string {
    return renderDocs(this.json(request));
  }
}
