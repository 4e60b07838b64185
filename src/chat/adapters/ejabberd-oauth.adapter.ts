import { Injectable } from '@nestjs/common';
import { ChatConfig, ServerConfig } from '../../config/config.js';
import { readFields, textOf } from '../../http/raw/fields.js';
import { emptyReply, jsonReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { Clock } from '../../time/clock.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { chatUserName } from '../user-name.js';
import { say, type ChatAdapter, type ChatRoute } from './chat-adapter.js';

const NO = emptyReply(404);

/** For how long a token is told to be good that has no end of its own; nobody keeps it with the caches off. */
const ENDLESS_SECONDS = 3600;

/**
 * ejabberd's `oauth_db_type: rest`, for clients that log in with X-OAUTH2: whose token is this? It compares the address
 * that it is told with the one that the client claims, so the host has to be the one that ejabberd serves.
 */
@Injectable()
export class EjabberdOauthAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(
    private readonly checks: ChatCheckService,
    private readonly config: ChatConfig,
    private readonly server: ServerConfig,
    private readonly clock: Clock,
  ) {
    this.routes = ['/ejabberd/oauth/lookup', '/ejabberd/:host/oauth/lookup'].map((path) => ({
      path,
      methods: ['POST'],
      answer: (request, client) => this.lookUp(request, client),
    }));
  }

  private lookUp(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const secret = textOf(readFields(request), 'token');
    if (secret === undefined) return NO;
    const domain = request.parameters['host'] ?? this.config.domain ?? this.publicHost();
    const verdict = this.checks.checkToken({ adapter: 'ejabberd_oauth', domain, secret }, client);
    return say(verdict, {
      no: NO,
      yes: (allowed) =>
        jsonReply(200, {
          user: `${chatUserName(allowed)}@${domain.toLowerCase()}`,
          scope: ['sasl_auth'],
          expire: this.expireOf(allowed.expiresAt),
        }),
    });
  }

  private publicHost(): string {
    return this.server.publicUrl === null ? 'localhost' : new URL(this.server.publicUrl).hostname;
  }

  private expireOf(expiresAt: number | null): number {
    return expiresAt === null
      ? Math.floor(this.clock.now() / 1000) + ENDLESS_SECONDS
      : Math.floor(expiresAt / 1000);
  }
}
