import { Controller, Get, Header, Req, type Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ServerConfig } from '../../config/config.js';
import { RawFaces } from '../raw/raw-routes.js';
import { renderDocs } from './docs-page.js';
import { buildOpenApi } from './openapi-document.js';

/** What the description is of. */
export abstract class DescribedProduct {
  abstract readonly version: string;
}

/** Every face that describes its routes, for machines and for people. Made when first asked for. */
@Controller()
export class OpenApiController {
  private document: Record<string, unknown> | undefined;

  constructor(
    private readonly server: ServerConfig,
    private readonly discovery: DiscoveryService,
    private readonly faces: RawFaces,
    private readonly product: DescribedProduct,
  ) {}

  @Get('openapi.json')
  json(@Req() request: FastifyRequest): Record<string, unknown> {
    // The address this very connection arrived at, and never the Host header, which is the client's to choose.
    const { localAddress, localPort } = request.socket;
    this.document ??= buildOpenApi(
      this.discovery.getControllers().map(({ metatype }) => metatype as Type),
      this.faces.list().flatMap(({ routes }) => routes),
      this.server.publicUrl ?? `http://${localAddress ?? 'localhost'}:${localPort ?? 0}`,
      this.product.version,
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
