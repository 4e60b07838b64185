import type { FastifyInstance, FastifyRequest } from 'fastify';
import { BrokerError } from '../errors/broker-error.js';
import type { Logger } from '../observability/logger.js';
import type { Metrics } from '../observability/metrics.js';
import { runInRequest } from '../observability/request-context.js';
import { plainAddress } from './client-address.js';

/** Longer than a request can wait for its turn, the database and a password's hash together. */
const ABANDONED_WORK_MILLISECONDS = 60_000;

/** What every request passes: headers against caching and sniffing, the log's context, one log line, one observation. */
export function addRequestHooks(fastify: FastifyInstance, logger: Logger, metrics: Metrics): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    // Answers carry tokens and people's data.
    reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('x-request-id', request.id);
    // RFC 9112 §3.2.
    const lacksHost = request.headers.host === undefined && request.raw.httpVersion === '1.1';
    done(lacksHost ? new BrokerError('malformed_request') : undefined);
  });
  // After the body is read: its events come from the socket, outside of any context begun before.
  fastify.addHook('preHandler', (request, reply, done) => {
    if (isSessionCheck(request)) return done();
    const leave = runInRequest({ id: request.id, address: plainAddress(request.ip) }, done);
    // Comes also when the client has gone away before the answer. What it asked for is done all the same, and has to
    // be known as its doing: or hanging up at once would be the way to act in nobody's name.
    reply.raw.once('close', () => {
      if (reply.raw.writableEnded) leave();
      else setTimeout(leave, ABANDONED_WORK_MILLISECONDS).unref();
    });
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method } = request;
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.observeRequest(method, route, reply.statusCode, reply.elapsedTime);
    const isRead = method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || isRaw(request);
    const level = isRead && reply.statusCode < 400 ? 'debug' : 'info';
    if (logger.isLevelEnabled(level)) {
      const milliseconds = Math.round(reply.elapsedTime * 10) / 10;
      // The route's pattern and never the path as sent, which can hold tokens.
      const fields = { request_id: request.id, method, route, status: reply.statusCode, milliseconds };
      logger[level]({ ...fields, address: request.ip }, 'request');
    }
    done();
  });
}

/** The one route that is all checks and no work: what little it logs names the request itself. */
function isSessionCheck(request: FastifyRequest): boolean {
  return request.method === 'GET' && request.routeOptions.url === '/v1/session';
}

/** Questions of other people's software, however they are put. */
function isRaw(request: FastifyRequest): boolean {
  return request.routeOptions.config.isRaw === true;
}
