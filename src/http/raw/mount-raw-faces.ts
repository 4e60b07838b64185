import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorFields, type Logger } from '../../observability/logger.js';
import { plainAddress } from '../client-address.js';
import { emptyReply, type RawFace, type RawReply, type RawRequest, type RawRoute } from './raw-routes.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    isRaw?: boolean;
  }
}

/** More than any of their protocols sends. */
const BODY_LIMIT_BYTES = 65_536;

const NOT_FOUND = emptyReply(404);
const TOO_LARGE = emptyReply(413, { connection: 'close' });

/**
 * Mounts raw faces beside Nest's routes. A request is answered before Fastify looks at its body: its parsers go by
 * content types, which the software on the other side gets wrong.
 */
export function mountRawFaces(fastify: FastifyInstance, faces: readonly RawFace[], logger: Logger): void {
  for (const { prefix, routes } of faces) {
    void fastify.register(
      (scope, _options, done) => {
        for (const route of routes) mount(scope, prefix, route, logger);
        scope.setNotFoundHandler((request, reply) => write(request, reply, NOT_FOUND));
        scope.setErrorHandler((_error, request, reply) => write(request, reply, emptyReply(400)));
        done();
      },
      { prefix },
    );
  }
}

function mount(scope: FastifyInstance, prefix: string, route: RawRoute, logger: Logger): void {
  const { methods, readsBody } = route;
  const refusal = emptyReply(405, methods === 'any' ? {} : { allow: methods.join(', ') });
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    logger.error({ request_id: request.id, route: route.path, ...errorFields(error) }, 'request failed');
    write(request, reply, route.failure);
  };
  const answer = (request: FastifyRequest, reply: FastifyReply, body: string | null) => {
    try {
      const answered = route.answer(toRawRequest(request, body));
      if (!(answered instanceof Promise)) return write(request, reply, answered);
      answered.then(
        (said) => write(request, reply, said),
        (error: unknown) => fail(error, request, reply),
      );
    } catch (error) {
      fail(error, request, reply);
    }
  };
  scope.all(route.path.slice(prefix.length), {
    config: { isRaw: true },
    // The last hook of its kind: answers, and lets nothing after it run.
    onRequest: (request, reply) => {
      const { method } = request;
      if (methods !== 'any' && !methods.includes(method)) write(request, reply, refusal);
      else if (!readsBody || method === 'GET') answer(request, reply, '');
      else
        readBody(
          request.raw,
          (body) => answer(request, reply, body),
          () => write(request, reply, TOO_LARGE),
        );
    },
    handler: () => undefined,
  });
}

function toRawRequest(request: FastifyRequest, body: string | null): RawRequest {
  const { method, url = '', headers } = request.raw;
  const mark = url.indexOf('?');
  return {
    id: request.id,
    method: method!,
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers,
    address: () => plainAddress(request.ip),
    body,
    parameters: request.params as Record<string, string>,
  };
}

/** Calls one of the two, once; neither when the client breaks off. */
function readBody(
  incoming: IncomingMessage,
  done: (body: string | null) => void,
  tooLarge: () => void,
): void {
  if (Number(incoming.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return tooLarge();
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let length = 0;
  let isOver = false;
  incoming.on('data', (chunk: Buffer) => {
    if (isOver) return;
    length += chunk.length;
    if (length > BODY_LIMIT_BYTES) {
      isOver = true;
      return tooLarge();
    }
    if (first === undefined) first = chunk;
    else (rest ??= [first]).push(chunk);
  });
  incoming.on('end', () => {
    if (isOver) return;
    if (first === undefined) return done('');
    const bytes = rest === undefined ? first : Buffer.concat(rest);
    done(isUtf8(bytes) ? bytes.toString() : null);
  });
  incoming.on('error', () => {
    isOver = true;
  });
}

function write(request: FastifyRequest, reply: FastifyReply, answer: RawReply): void {
  const { raw } = reply;
  reply.hijack();
  if (raw.headersSent) return;
  const headers: Record<string, string | number> = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': request.id,
    'content-length': Buffer.byteLength(answer.body),
    ...answer.headers,
  };
  if (answer.contentType !== null) headers['content-type'] = answer.contentType;
  raw.writeHead(answer.status, headers);
  raw.end(request.raw.method === 'HEAD' ? undefined : answer.body);
}
