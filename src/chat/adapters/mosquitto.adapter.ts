import { Injectable } from '@nestjs/common';
import { ChatConfig } from '../../config/config.js';
import { readFields, textOf, type Fields } from '../../http/raw/fields.js';
import { emptyReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { mayUseTopic, type TopicAct } from '../topic-permissions.js';
import { denied } from '../verdict.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

const yes = emptyReply(200);
const words: Words = { yes: () => yes, no: emptyReply(403) };

/** Its numbers for what somebody wants of a topic. */
const ACTS: Readonly<Record<string, readonly TopicAct[]>> = {
  1: ['read'],
  2: ['write'],
  3: ['read', 'write'],
  4: ['read'],
};

/** mosquitto-go-auth's HTTP backend with `response_mode status`. */
@Injectable()
export class MosquittoAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(
    private readonly checks: ChatCheckService,
    private readonly config: ChatConfig,
  ) {
    this.routes = [
      { path: '/mqtt/user', methods: ['POST'], answer: (request, client) => this.user(request, client) },
      // Nobody is above the rules.
      { path: '/mqtt/superuser', methods: ['POST'], answer: () => words.no },
      { path: '/mqtt/acl', methods: ['POST'], answer: (request, client) => this.acl(request, client) },
    ];
  }

  private user(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    // The server goes on under the name that was typed; whoever ends its connections is told the plain one.
    if (user === undefined || secret === undefined || user.includes('@')) return words.no;
    return say(this.checks.check({ adapter: 'mosquitto', user, domain: null, secret }, client), words);
  }

  private acl(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const topic = textOf(fields, 'topic');
    const acts = actsOf(fields);
    if (user === undefined || topic === undefined || acts.length === 0) return words.no;
    const asked = { adapter: 'mosquitto_rights', user, domain: null };
    const verdict = this.checks.checkRights(asked, client, (person) =>
      acts.every((act) => mayUseTopic(this.config.topics, person, act, topic, client.applicationId === null))
        ? person
        : denied('application'),
    );
    return say(verdict, words);
  }
}

/** A number in JSON, text in a form. */
function actsOf(fields: Fields): readonly TopicAct[] {
  const acc = fields.get('acc');
  const key = typeof acc === 'number' || typeof acc === 'string' ? String(acc) : '';
  return Object.hasOwn(ACTS, key) ? ACTS[key]! : [];
}
