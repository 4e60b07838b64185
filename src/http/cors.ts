import type { FastifyInstance, FastifyReply } from 'fastify';

/** The origins whose pages may read answers at all; each application narrows this to its own. */
export abstract class AllowedOrigins {
  /** Whether any application lists the origin. */
  abstract includes(origin: string): Promise<boolean>;
}

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS = 'authorization, content-type';
const RESPONSE_HEADERS = 'retry-after, x-request-id';
const PREFLIGHT_SECONDS = '600';

/**
 * CORS (Fetch §3.2) without credentials mode: tokens travel in a header that a page sets itself.
 *
 * A preflight carries no credential, so it cannot be answered for one application: it allows what any application
 * allows. The request itself is held to its own application's list where that application becomes known.
 *
 * Apps and servers send no origin and pass untouched. Nest's own `enableCors` would run its plugin on those too.
 */
export function addCors(fastify: FastifyInstance, origins: AllowedOrigins): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (origin === undefined) return done();
    reply.header('vary', 'Origin');
    const isPreflight =
      request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
    origins.includes(origin).then(
      (allowed) => {
        if (allowed) allow(reply, origin, isPreflight);
        if (isPreflight) void reply.code(204).send();
        else done();
      },
      // The database is away; the request itself gets the error that says so.
      (error: Error) => done(isPreflight ? error : undefined),
    );
  });
}

function allow(reply: FastifyReply, origin: string, isPreflight: boolean): void {
  reply.header('access-control-allow-origin', origin);
  reply.header('access-control-expose-headers', RESPONSE_HEADERS);
  if (!isPreflight) return;
  reply.header('access-control-allow-methods', METHODS);
  reply.header('access-control-allow-headers', REQUEST_HEADERS);
  reply.header('access-control-max-age', PREFLIGHT_SECONDS);
}
