import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApplicationDirectory } from '../applications/application-directory.js';
import type { Application } from '../applications/application.js';
import { ServerConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import { parseAuthorization } from '../http/authorization.js';
import type { Client } from '../local-auth/client.js';
import { identifyActor } from '../observability/request-context.js';
import { SessionChecker } from '../session/session-checker.js';
import { allowsOrigin } from './origin.js';
import { identifySession } from './session.guards.js';

/** Recognises applications by their keys, and pages by their origin. */
@Injectable()
export class ClientAuthentication {
  constructor(
    private readonly applications: ApplicationDirectory,
    private readonly server: ServerConfig,
  ) {}

  /** HTTP Basic with auth_key and auth_secret: the application's own backend. @throws BrokerError `invalid_client` */
  async byBasic(request: FastifyRequest, authKey: string, authSecret: string): Promise<Client> {
    const application = await this.applications.authenticate(authKey, authSecret);
    if (!application) throw new BrokerError('invalid_client');
    identifyActor('application', application.id);
    return this.clientOf(request, application, true);
  }

  /** Application id and auth_key alone, which every copy of an app has. @throws BrokerError `invalid_client` */
  async byPublicKey(request: FastifyRequest, applicationId: number, authKey: string): Promise<Client> {
    const application = await this.applications.findByAuthKey(authKey);
    if (!application || application.id !== applicationId || !application.settings.public_clients) {
      throw new BrokerError('invalid_client');
    }
    identifyActor('client', application.id);
    return this.clientOf(request, application, false);
  }

  /** The application of a session that was checked. */
  async bySession(request: FastifyRequest, applicationId: number): Promise<Client> {
    const application = await this.applications.find(applicationId);
    if (!application) throw new BrokerError('session_ended');
    return this.clientOf(request, application, false);
  }

  /** As `byBasic` where the request has HTTP Basic; null where it has none, or a token that may have ended. */
  async byBasicIfGiven(request: FastifyRequest): Promise<Client | null> {
    const header = request.headers.authorization;
    if (header === undefined || !/^basic /i.test(header)) return null;
    const authorization = parseAuthorization(header);
    if (authorization?.scheme !== 'basic') return null;
    return this.byBasic(request, authorization.user, authorization.password);
  }

  /** Whether the page that sent the request, if one did, may use the application. @throws BrokerError `origin_not_allowed` */
  admitOrigin(request: FastifyRequest, application: Application): void {
    const { origin } = request.headers;
    if (origin !== undefined && !allowsOrigin(application, this.server, origin)) {
      throw new BrokerError('origin_not_allowed');
    }
  }

  private clientOf(request: FastifyRequest, application: Application, isServer: boolean): Client {
    this.admitOrigin(request, application);
    return { application, address: request.ip, isServer };
  }
}

/** Lets applications in: by HTTP Basic, or as public clients by what the body says. */
@Injectable()
export class ClientGuard implements CanActivate {
  constructor(private readonly clients: ClientAuthentication) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.caller = { client: await this.recognise(request) };
    return true;
  }

  private async recognise(request: FastifyRequest): Promise<Client> {
    const authorization = parseAuthorization(request.headers.authorization);
    const { application_id, auth_key } = (request.body ?? {}) as Record<string, unknown>;
    if (authorization?.scheme === 'basic') {
      const client = await this.clients.byBasic(request, authorization.user, authorization.password);
      // Two applications named in one request: neither is meant for certain.
      if (application_id !== undefined && application_id !== client.application.id) {
        throw new BrokerError('invalid_client');
      }
      return client;
    }
    if (typeof application_id === 'number' && typeof auth_key === 'string') {
      return this.clients.byPublicKey(request, application_id, auth_key);
    }
    throw new BrokerError('authentication_required');
  }
}

/** Lets living sessions in, and backends by HTTP Basic. */
@Injectable()
export class SessionOrServerGuard implements CanActivate {
  constructor(
    private readonly clients: ClientAuthentication,
    private readonly checker: SessionChecker,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const authorization = parseAuthorization(request.headers.authorization);
    if (!authorization) throw new BrokerError('authentication_required');
    if (authorization.scheme === 'basic') {
      request.caller = {
        client: await this.clients.byBasic(request, authorization.user, authorization.password),
      };
      return true;
    }
    const session = await this.checker.check(authorization.token);
    identifySession(session);
    request.caller = { session, client: await this.clients.bySession(request, session.applicationId) };
    return true;
  }
}

/** Lets living sessions in, and applications as `ClientGuard` does. */
@Injectable()
export class SessionOrClientGuard implements CanActivate {
  constructor(
    private readonly asSession: SessionOrServerGuard,
    private readonly asClient: ClientGuard,
  ) {}

  canActivate(context: ExecutionContext): Promise<boolean> {
    const { authorization } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    const isBearer = authorization !== undefined && !/^basic /i.test(authorization);
    return (isBearer ? this.asSession : this.asClient).canActivate(context);
  }
}
