import type { INestApplication } from '@nestjs/common';

/** The origins whose pages may read answers at all; each application narrows this to its own. */
export abstract class AllowedOrigins {
  /** Whether any application lists the origin. */
  abstract includes(origin: string): Promise<boolean>;
}

/**
 * A preflight carries no credential, so it cannot be answered for one application: it allows what any application
 * allows. The request itself is held to its own application's list where that application becomes known.
 */
export function enableCors(app: INestApplication, origins: AllowedOrigins): void {
  app.enableCors({
    origin: (origin: string | undefined, done: (error: Error | null, allowed?: boolean) => void) => {
      if (!origin) return done(null, false);
      origins.includes(origin).then(
        (allowed) => done(null, allowed),
        // The database is away; the request itself gets the error that says so.
        () => done(null, false),
      );
    },
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders: ['retry-after', 'x-request-id'],
    maxAge: 600,
  });
}
