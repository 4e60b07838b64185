import { Injectable } from '@nestjs/common';
import { ChatConfig } from '../../config/config.js';
import { readFields, textOf, type Fields } from '../../http/raw/fields.js';
import { jsonReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { mayUseTopic, type TopicAct } from '../topic-permissions.js';
import { denied } from '../verdict.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

/** Only 200 counts there, and it keeps a yes when it is told how long: `Cache-Control: no-store` is on every answer. */
const yes = jsonReply(200, { result: 'ok' });
const words: Words = { yes: () => yes, no: jsonReply(200, { result: { error: 'not_allowed' } }) };

/** The webhooks of VerneMQ; which one it is, a header says. Those of MQTT 5 end in `_m5`. */
@Injectable()
export class VerneMqAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(
    private readonly checks: ChatCheckService,
    private readonly config: ChatConfig,
  ) {
    this.routes = [
      { path: '/mqtt/vernemq', methods: ['POST'], answer: (request, client) => this.hook(request, client) },
    ];
  }

  private hook(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const hook = request.headers['vernemq-hook'];
    const fields = readFields(request);
    switch (typeof hook === 'string' ? hook.replace(/_m5$/, '') : undefined) {
      case 'auth_on_register':
        return this.register(client, fields);
      case 'auth_on_publish':
        return this.rights(client, fields, 'write', [textOf(fields, 'topic')]);
      case 'auth_on_subscribe':
        return this.rights(client, fields, 'read', topicsOf(fields.get('topics')));
      default:
        return words.no;
    }
  }

  private register(client: ChatClient, fields: Fields): RawReply | Promise<RawReply> {
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    // The server goes on under the name that was typed; whoever ends its connections is told the plain one.
    if (user === undefined || secret === undefined || user.includes('@')) return words.no;
    return say(this.checks.check({ adapter: 'vernemq', user, domain: null, secret }, client), words);
  }

  /** All topics or none: the hook could grant some, and clients seldom look which. */
  private rights(
    client: ChatClient,
    fields: Fields,
    act: TopicAct,
    topics: readonly (string | undefined)[],
  ): RawReply | Promise<RawReply> {
    const user = textOf(fields, 'username');
    if (user === undefined || topics.length === 0) return words.no;
    const isShared = client.applicationId === null;
    const asked = { adapter: 'vernemq_rights', user, domain: null };
    const verdict = this.checks.checkRights(asked, client, (person) =>
      topics.every(
        (topic) => topic !== undefined && mayUseTopic(this.config.topics, person, act, topic, isShared),
      )
        ? person
        : denied('application'),
    );
    return say(verdict, words);
  }
}

/** `[{"topic":"a/b","qos":0}]` */
function topicsOf(value: unknown): (string | undefined)[] {
  if (!Array.isArray(value)) return [];
  return value.map((entry: unknown) => {
    const { topic } = (entry ?? {}) as { topic?: unknown };
    return typeof topic === 'string' ? topic : undefined;
  });
}
