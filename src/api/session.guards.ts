import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApplicationDirectory } from '../applications/application-directory.js';
import { ServerConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { bearerToken } from '../http/authorization.js';
import { identifyActor } from '../observability/request-context.js';
import type { Session } from '../session/session.js';
import { SessionChecker } from '../session/session-checker.js';
import { allowsOrigin } from './origin.js';

/** Lets any living session in, without a promise where the session is in memory. */
@Injectable()
export class AnySessionGuard implements CanActivate {
  constructor(
    private readonly checker: SessionChecker,
    private readonly applications: ApplicationDirectory,
    private readonly server: ServerConfig,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const session = this.checker.check(bearerToken(request.headers.authorization));
    if (session instanceof Promise || request.headers.origin !== undefined)
      return this.admitLater(request, session);
    return this.admit(request, session);
  }

  /** @throws BrokerError when this kind of session may not come in here. */
  protected mayEnter(_session: Session): void {}

  private admit(request: FastifyRequest, session: Session): true {
    this.mayEnter(session);
    request.caller = { session };
    identifySession(session);
    return true;
  }

  private async admitLater(request: FastifyRequest, found: Session | Promise<Session>): Promise<true> {
    const session = await found;
    const origin = request.headers.origin;
    if (origin !== undefined) {
      const application = await this.applications.find(session.applicationId);
      if (!application || !allowsOrigin(application, this.server, origin))
        throw new BrokerError('origin_not_allowed');
    }
    return this.admit(request, session);
  }
}

/** From here on, what the request does is done by the session's user, or by its application. */
export function identifySession({ userId, applicationId }: Session): void {
  if (userId === null) identifyActor('application', applicationId);
  else identifyActor('user', userId);
}

/** Lets sessions in on which a user, guests included, is signed in. */
@Injectable()
export class UserSessionGuard extends AnySessionGuard {
  protected override mayEnter(session: Session): void {
    if (session.userId === null) throw new BrokerError('user_session_required');
  }
}
