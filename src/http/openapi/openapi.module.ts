import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { DescribedProduct, OpenApiController } from './openapi.controller.js';

/**
 * Owns the description of the HTTP interface: it finds every route that has an `@Operation`, whichever face it belongs
 * to, and knows none of them. Routes: /openapi.json, /docs.
 */
@Module({})
export class OpenApiModule {
  static of(product: DescribedProduct): DynamicModule {
    return {
      module: OpenApiModule,
      imports: [DiscoveryModule],
      controllers: [OpenApiController],
      providers: [{ provide: DescribedProduct, useValue: product }],
    };
  }
}
