import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Client } from '../local-auth/client.js';
import type { Session } from '../session/session.js';

/** What the guards found out about a request. */
interface Caller {
  session?: Session;
  client?: Client;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller?: Caller;
  }
}

export type UserSession = Session & { readonly userId: number };

/** The living session that the route's guard has checked. */
export const CurrentSession = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<FastifyRequest>().caller!.session,
);

/** The application that asks, as the route's guard has recognised it. */
export const CurrentClient = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<FastifyRequest>().caller!.client,
);
