import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';
import { randomBytes } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { errorCatalog, type ErrorCode } from '../errors/error-catalog.js';
import { parseJsonBody } from './json-body.js';
import { isBelowRawFace } from './raw/raw-routes.js';
import { PROBLEM_TYPE, toBrokerError, toProblemDetails } from './problem-details.js';

/** The server under Nest: limits, body parsing, and an answer of ours where Nest's filter does not reach. */
export function createFastifyAdapter(config: ServerConfig): FastifyAdapter {
  const adapter = new FastifyAdapter({
    // Requests are logged by our own hook, once each and without the query.
    logger: false,
    genReqId: requestIds(),
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    bodyLimit: config.bodyLimitBytes,
    requestTimeout: config.requestTimeoutSeconds * 1000,
    // While stopping, requests on open connections are still answered, with "Connection: close".
    return503OnClosing: false,
    frameworkErrors: answerOutsideNest,
    clientErrorHandler: answerUnreadable,
    // Node's own refusal of a request without one has no body; a hook of ours refuses it in our words.
    http: { requireHostHeader: false },
    // No Nest middleware is used; without this its engine runs on every request.
    skipMiddie: true,
  });
  const fastify = adapter.getInstance();
  // An expectation that nobody here can meet may be passed over (RFC 9110 §10.1.1); Node's refusal has no body.
  fastify.server.on('checkExpectation', (request, response) =>
    fastify.server.emit('request', request, response),
  );
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(readUtf8(body as Buffer)));
    } catch (error) {
      done(error as Error);
    }
  });
  return adapter;
}

/**
 * RFC 8259 §8.1. Decoding alone would turn whatever is not UTF-8 into the same replacement character, and with it
 * different passwords into one.
 *
 * @throws BrokerError `malformed_request`
 */
function readUtf8(body: Buffer): string {
  if (!isUtf8(body)) throw new BrokerError('malformed_request', { cause: new Error('body is not UTF-8') });
  return body.toString();
}

/** Unique across processes and restarts without asking for random bytes on each request. */
function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count += 1).toString(36)}`;
}

/** The router's own refusals (a malformed URL, an over-long parameter) come before any filter. */
function answerOutsideNest(thrown: Error, request: FastifyRequest, reply: FastifyReply): void {
  if (isBelowRawFace(request.raw.url ?? '')) {
    void reply.code(404).header('cache-control', 'no-store').send();
    return;
  }
  const error = toBrokerError(thrown);
  void reply
    .code(errorCatalog[error.code].status)
    .header('cache-control', 'no-store')
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(toProblemDetails(error, request.id)));
}

const PARSER_CODES: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** Bytes that Node's parser could not read as a request; there is no reply object, only the socket. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = new BrokerError(PARSER_CODES[error.code ?? ''] ?? 'malformed_request');
  const body = JSON.stringify(toProblemDetails(problem, 'unread'));
  const { status } = errorCatalog[problem.code];
  socket.end(
    `HTTP/1.1 ${status} ${problem.code}\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  );
}
