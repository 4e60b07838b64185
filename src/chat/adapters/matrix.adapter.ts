import { Injectable } from '@nestjs/common';
import { readFields } from '../../http/raw/fields.js';
import { jsonReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { chatUserName } from '../user-name.js';
import { say, type ChatAdapter, type ChatRoute } from './chat-adapter.js';

/** Matrix: `@localpart:server`; the server may have a port. */
const MXID = /^@([^:]+):(.+)$/s;

const NO = jsonReply(200, { auth: { success: false } });

/**
 * Synapse's REST password provider. The path is fixed there; what stands before it is the operator's. What Synapse gives
 * its client after a yes is a token of its own, whose end is its own business too.
 */
@Injectable()
export class MatrixAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    this.routes = [
      {
        path: '/_matrix-internal/identity/v1/check_credentials',
        methods: ['POST'],
        answer: (request, client) => this.check(request, client),
      },
    ];
  }

  private check(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const given = readFields(request).get('user');
    const { id, password: secret } = (given ?? {}) as { id?: unknown; password?: unknown };
    if (typeof id !== 'string' || typeof secret !== 'string') return NO;
    const [, user, domain] = MXID.exec(id) ?? [];
    if (user === undefined || domain === undefined || user.includes('@')) return NO;
    const verdict = this.checks.check({ adapter: 'matrix', user, domain, secret }, client);
    return say(verdict, {
      no: NO,
      yes: (allowed) =>
        jsonReply(200, { auth: { success: true, mxid: `@${chatUserName(allowed)}:${domain}` } }),
    });
  }
}
