import { Injectable } from '@nestjs/common';
import { ChatConfig } from '../../config/config.js';
import { readFields, textOf, type Fields } from '../../http/raw/fields.js';
import { textReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { mayUseTopic, nameMatches, patternFor, topicOfRoutingKey } from '../topic-permissions.js';
import { denied, type ChatAllowed, type Verdict } from '../verdict.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

/** Whatever begins with "allow" is a yes there, so that no refusal may. What follows it would be tags: users get none. */
const yes = textReply(200, 'allow');
const words: Words = { yes: () => yes, no: textReply(200, 'deny') };

/**
 * RabbitMQ's rabbitmq_auth_backend_http, for AMQP, MQTT and STOMP: the user once for each connection, then what the
 * connection may do. Where it asks about rights it sends no password; it has asked for that before.
 */
@Injectable()
export class RabbitMqAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(
    private readonly checks: ChatCheckService,
    private readonly config: ChatConfig,
  ) {
    const methods = ['GET', 'POST'] as const;
    this.routes = [
      { path: '/rabbitmq/user', methods, answer: (request, client) => this.user(request, client) },
      {
        path: '/rabbitmq/vhost',
        methods,
        answer: (request, client) => this.rights(request, client, this.mayEnter),
      },
      {
        path: '/rabbitmq/resource',
        methods,
        answer: (request, client) => this.rights(request, client, this.mayTouch),
      },
      {
        path: '/rabbitmq/topic',
        methods,
        answer: (request, client) => this.rights(request, client, this.mayRoute),
      },
    ];
  }

  private user(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    // RabbitMQ goes on under the name that was typed, and by that name its connections are closed when the session ends: one
    // with a domain of the typist's choice would not be found.
    if (user === undefined || secret === undefined || user.includes('@')) return words.no;
    const question = { adapter: 'rabbitmq', user, domain: null, secret };
    return say(this.checks.check(question, client), words);
  }

  private rights(
    request: RawRequest,
    client: ChatClient,
    may: (fields: Fields, person: ChatAllowed, isShared: boolean) => boolean,
  ): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    if (user === undefined) return words.no;
    const isShared = client.applicationId === null;
    const judge = (person: ChatAllowed): Verdict =>
      may(fields, person, isShared) ? person : denied('application');
    const asked = { adapter: 'rabbitmq_rights', user, domain: null };
    return say(this.checks.checkRights(asked, client, judge), words);
  }

  private readonly mayEnter = (fields: Fields): boolean => {
    const vhost = textOf(fields, 'vhost');
    return vhost !== undefined && this.config.rabbitmq.vhosts.includes(vhost);
  };

  private readonly mayTouch = (fields: Fields, person: ChatAllowed): boolean => {
    const name = textOf(fields, 'name');
    const permission = textOf(fields, 'permission');
    if (name === undefined || !this.mayEnter(fields)) return false;
    const matches = (pattern: string) => nameMatches(patternFor(pattern, person), name);
    switch (textOf(fields, 'resource')) {
      case 'queue':
        return isPermission(permission) && this.config.rabbitmq.queues.some(matches);
      case 'exchange':
        // Whoever may configure an exchange may delete it.
        return (
          (permission === 'write' || permission === 'read') && this.config.rabbitmq.exchanges.some(matches)
        );
      default:
        return false;
    }
  };

  private readonly mayRoute = (fields: Fields, person: ChatAllowed, isShared: boolean): boolean => {
    const permission = textOf(fields, 'permission');
    const key = textOf(fields, 'routing_key');
    if (key === undefined || (permission !== 'write' && permission !== 'read')) return false;
    return (
      this.mayEnter(fields) &&
      mayUseTopic(this.config.topics, person, permission, topicOfRoutingKey(key), isShared)
    );
  };
}

function isPermission(text: string | undefined): boolean {
  return text === 'configure' || text === 'write' || text === 'read';
}
