import { Injectable } from '@nestjs/common';
import { readFields, textOf } from '../../http/raw/fields.js';
import { jsonReply, type RawReply } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatAllowed } from '../verdict.js';
import { say, type ChatAdapter, type ChatRequest, type ChatRoute, type Words } from './chat-adapter.js';

const words: Words = {
  no: jsonReply(200, { allow: false }),
  yes: (verdict) => jsonReply(200, toBody(verdict)),
};

/** The plain question, for our own modules and for anybody's code: `POST /chat/verify`. */
@Injectable()
export class VerifyAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    this.routes = [{ path: '/verify', methods: ['POST'], answer: (request) => this.verify(request) }];
  }

  private verify(request: ChatRequest): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    if (user === undefined || secret === undefined) return words.no;
    const domain = textOf(fields, 'domain') ?? null;
    return say(this.checks.check({ adapter: 'verify', user, domain, secret }, request.client), words);
  }
}

function toBody({ userId, applicationId, sessionId, expiresAt }: ChatAllowed) {
  return {
    allow: true,
    user_id: userId,
    app_id: applicationId,
    session_id: sessionId,
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
