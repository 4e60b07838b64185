import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { readFields, textOf } from '../../http/raw/fields.js';
import { jsonReply, type RawOperation, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import type { ChatAllowed } from '../verdict.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

const words: Words = {
  no: jsonReply(200, { allow: false }),
  yes: (verdict) => jsonReply(200, toBody(verdict)),
};

const operation: RawOperation = {
  id: 'Chat_verify',
  summary: 'May this user log in to the chat with this secret?',
  auth: 'chat client',
  bodyType: 'application/json',
  body: z.object({
    username: z.string().describe('user id - application id, with @domain or without'),
    domain: z.string().optional(),
    password: z.string().describe('A session token; the account password where the application allows it'),
  }),
  answers: {
    200: {
      description: 'Decided',
      schema: z.union([
        z.object({
          allow: z.literal(true),
          user_id: z.int(),
          app_id: z.int(),
          session_id: z.int().nullable().describe('null: it was the account password'),
          expires_at: z.iso.datetime().nullable(),
        }),
        z.object({ allow: z.literal(false) }),
      ]),
    },
    401: { description: 'Not a chat client' },
    503: { description: 'Undecided: let nobody in, and ask again later' },
  },
};

/** The plain question, for our own modules and for anybody's code: `POST /chat/verify`. */
@Injectable()
export class VerifyAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    this.routes = [
      {
        path: '/verify',
        methods: ['POST'],
        answer: (request, client) => this.verify(request, client),
        operation,
      },
    ];
  }

  private verify(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    if (user === undefined || secret === undefined) return words.no;
    const domain = textOf(fields, 'domain') ?? null;
    return say(this.checks.check({ adapter: 'verify', user, domain, secret }, client), words);
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
