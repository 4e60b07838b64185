import { Injectable } from '@nestjs/common';
import { readBasic } from '../../http/authorization.js';
import { readFields, textOf } from '../../http/raw/fields.js';
import { emptyReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

const yes = emptyReply(200);
const words: Words = {
  yes: () => yes,
  no: emptyReply(401, { 'www-authenticate': 'Basic realm="ostiary chat", charset="UTF-8"' }),
};

/** The user's own HTTP Basic, and a status for an answer: Prosody's mod_auth_http_async and the like. */
@Injectable()
export class BasicAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    this.routes = [
      {
        path: '/basic',
        methods: ['GET'],
        authorization: 'of the user',
        answer: (request, client) => this.answer(request, client),
      },
    ];
  }

  private answer(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const credentials = readBasic(request.headers.authorization);
    if (!credentials) return words.no;
    const domain = textOf(readFields(request), 'server') ?? null;
    const { user, password: secret } = credentials;
    return say(this.checks.check({ adapter: 'basic', domain, user, secret }, client), words);
  }
}
