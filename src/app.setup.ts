import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { addCors, AllowedOrigins } from './http/cors.js';
import { inputError } from './http/input.js';
import { ProblemDetailsFilter } from './http/problem-details.filter.js';
import { mountRawFaces } from './http/raw/mount-raw-faces.js';
import { RawFaces } from './http/raw/raw-routes.js';
import { addRequestHooks } from './http/request-hooks.js';
import { Logger } from './observability/logger.js';
import { Metrics } from './observability/metrics.js';
import { RevocationFeed } from './session/revocation/revocation-feed.js';

/** What the server and the end-to-end tests both do to the app before it listens. */
export async function setUpApp(app: NestFastifyApplication): Promise<void> {
  const logger = app.get<Logger>(Logger);
  const fastify = app.getHttpAdapter().getInstance();
  addRequestHooks(fastify, logger, app.get(Metrics));
  addCors(fastify, app.get<AllowedOrigins>(AllowedOrigins));
  mountRawFaces(fastify, app.get(RawFaces).list(), logger);
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: (issues) => inputError(issues) }));
  app.useGlobalFilters(new ProblemDetailsFilter(logger));
  await app.get(RevocationFeed).start();
}
