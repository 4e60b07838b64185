import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { OpenApiController } from './openapi.controller.js';

/**
 * Owns the description of the HTTP interface: it finds every route that has an `@Operation`, whichever face it belongs
 * to, and knows none of them. Routes: /openapi.json, /docs.
 */
@Module({ imports: [DiscoveryModule], controllers: [OpenApiController] })
export class OpenApiModule {}
