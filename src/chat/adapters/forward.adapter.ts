import { Injectable } from '@nestjs/common';
import { readBasic, readBearer } from '../../http/authorization.js';
import { emptyReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import type { ChatAllowed } from '../verdict.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

const words: Words = {
  yes: (verdict) => emptyReply(200, identityOf(verdict)),
  no: emptyReply(401, { 'www-authenticate': 'Bearer realm="ostiary chat"' }),
};

/**
 * Proxies that ask before they let a request through: nginx's auth_request, Traefik's ForwardAuth, Envoy's ext_authz (HTTP
 * service) and Caddy's forward_auth. They send whatever method and path the client did, with the client's own
 * Authorization header: a bearer token, or HTTP Basic with the user name and the token.
 */
@Injectable()
export class ForwardAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    this.routes = ['/forward', '/forward/*'].map((path) => ({
      path,
      methods: 'any',
      readsBody: false,
      authorization: 'of the user',
      answer: (request, client) => this.answer(request, client),
    }));
  }

  private answer(
    { headers: { authorization } }: RawRequest,
    client: ChatClient,
  ): RawReply | Promise<RawReply> {
    const adapter = 'forward';
    const named = readBasic(authorization);
    if (named) {
      const { user, password: secret } = named;
      return say(this.checks.check({ adapter, domain: null, user, secret }, client), words);
    }
    const secret = readBearer(authorization);
    if (secret === null) return words.no;
    return say(this.checks.checkToken({ adapter, domain: null, secret }, client), words);
  }
}

/** Instants in whole seconds since the epoch. */
function identityOf({ userId, applicationId, sessionId, expiresAt }: ChatAllowed): Record<string, string> {
  return {
    'x-user-id': String(userId),
    'x-app-id': String(applicationId),
    ...(sessionId !== null && { 'x-session-id': String(sessionId) }),
    ...(expiresAt !== null && { 'x-session-expires': String(Math.floor(expiresAt / 1000)) }),
  };
}
