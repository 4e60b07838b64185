import { Injectable } from '@nestjs/common';
import { ChatConfig } from '../../config/config.js';
import { readFields, textOf } from '../../http/raw/fields.js';
import { jsonReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { mayUseTopic } from '../topic-permissions.js';
import { denied } from '../verdict.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

/** A no has to be said with 200: EMQX asks its next authenticator after a 4xx. */
const no = jsonReply(200, { result: 'deny' });
const words: Words = {
  no,
  // EMQX ends the connection at `expire_at`, in seconds (from 5.8).
  yes: ({ connectionEndsAt }) =>
    jsonReply(200, {
      result: 'allow',
      is_superuser: false,
      ...(connectionEndsAt !== null && { expire_at: Math.floor(connectionEndsAt / 1000) }),
    }),
};

const aclYes = jsonReply(200, { result: 'allow' });
const aclWords: Words = { no, yes: () => aclYes };

/** EMQX 5: its HTTP authenticator, and its HTTP authorizer with `username`, `action` and `topic` in the body. */
@Injectable()
export class EmqxAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(
    private readonly checks: ChatCheckService,
    private readonly config: ChatConfig,
  ) {
    this.routes = [
      { path: '/mqtt/emqx', methods: ['POST'], answer: (request, client) => this.user(request, client) },
      { path: '/mqtt/emqx/acl', methods: ['POST'], answer: (request, client) => this.acl(request, client) },
    ];
  }

  private user(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    // The server goes on under the name that was typed; whoever ends its connections is told the plain one.
    if (user === undefined || secret === undefined || user.includes('@')) return no;
    return say(this.checks.check({ adapter: 'emqx', user, domain: null, secret }, client), words);
  }

  private acl(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const topic = textOf(fields, 'topic');
    const action = textOf(fields, 'action');
    const act = action === 'publish' ? 'write' : action === 'subscribe' ? 'read' : null;
    if (user === undefined || topic === undefined || act === null) return no;
    const verdict = this.checks.checkRights(
      { adapter: 'emqx_rights', user, domain: null },
      client,
      (person) =>
        mayUseTopic(this.config.topics, person, act, topic, client.applicationId === null)
          ? person
          : denied('application'),
    );
    return say(verdict, aclWords);
  }
}
