import type { FastifyInstance } from 'fastify';
import type { Logger } from '../observability/logger.js';
import type { Metrics } from '../observability/metrics.js';
import { runInRequest } from '../observability/request-context.js';

/** What every request passes: headers against caching and sniffing, the log's context, one log line, one observation. */
export function addRequestHooks(fastify: FastifyInstance, logger: Logger, metrics: Metrics): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    // Answers carry tokens and people's data.
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('x-request-id', request.id);
    done();
  });
  // After the body is read: its events come from the socket, outside of any context begun before.
  fastify.addHook('preHandler', (request, _reply, done) => runInRequest({ id: request.id }, done));
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    const fields = {
      request_id: request.id,
      method: request.method,
      // The pattern and never the path as sent, which can hold tokens.
      route,
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      address: request.ip,
    };
    const isRead = request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS';
    logger[isRead && reply.statusCode < 400 ? 'debug' : 'info'](fields, 'request');
    done();
  });
}
