import { Injectable } from '@nestjs/common';
import { readBearer } from '../../http/authorization.js';
import { readFields } from '../../http/raw/fields.js';
import { jsonReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

const words: Words = {
  // 4500 to 4999: the client is not to come back by itself.
  no: jsonReply(200, { disconnect: { code: 4501, reason: 'unauthorized' } }),
  // Never an empty user, which would let the client in as nobody.
  yes: ({ userId, connectionEndsAt }) =>
    jsonReply(200, {
      result: {
        user: String(userId),
        ...(connectionEndsAt !== null && { expire_at: Math.floor(connectionEndsAt / 1000) }),
      },
    }),
};

/**
 * The connect proxy of Centrifugo: the client's `data` holds the token, `{"token":"…"}`; or its Authorization header does, where
 * Centrifugo is told to pass that on and names itself in the path.
 */
@Injectable()
export class CentrifugoAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    this.routes = [
      {
        path: '/centrifugo/connect',
        methods: ['POST'],
        answer: (request, client) => this.connect(request, client),
      },
    ];
  }

  private connect(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const secret = tokenIn(readFields(request).get('data')) ?? userHeader(request);
    if (secret === null) return words.no;
    const question = { adapter: 'centrifugo', domain: null, secret };
    return say(this.checks.checkToken(question, client), words);
  }
}

function tokenIn(data: unknown): string | null {
  const { token } = (data ?? {}) as { token?: unknown };
  return typeof token === 'string' ? token : null;
}

/** The header is the chat server's own unless that has named itself otherwise. */
function userHeader({ parameters, headers }: RawRequest): string | null {
  return parameters['secret'] === undefined ? null : readBearer(headers.authorization);
}
