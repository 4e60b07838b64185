import { Injectable } from '@nestjs/common';
import { readFields, textOf } from '../../http/raw/fields.js';
import { emptyReply, textReply, type RawReply, type RawRequest } from '../../http/raw/raw-routes.js';
import { ChatCheckService } from '../chat-check.service.js';
import type { ChatClient } from '../clients/chat-client.js';
import { say, type ChatAdapter, type ChatRoute, type Words } from './chat-adapter.js';

/** Compared byte for byte by the modules on the other side. */
const yes = textReply(200, 'true');
const words: Words = { yes: () => yes, no: textReply(200, 'false') };

/**
 * Accounts are this server's business. `get_password` above all: to answer it, passwords would have to be kept in clear,
 * and the chat server would then offer SCRAM, which no session token can be used with.
 */
const MANAGEMENT = [
  'register',
  'set_password',
  'remove_user',
  'remove_user_validate',
  'get_password',
  'get_certs',
];

const NOT_IMPLEMENTED = emptyReply(501);

/**
 * The family of `?user=&server=&pass=` with `true` or `false` for an answer: Prosody's mod_auth_http, ejabberd-contrib's
 * auth_http, MongooseIM; and Prosody's mod_auth_custom_http, which posts JSON and calls it a form.
 */
@Injectable()
export class XmppAdapter implements ChatAdapter {
  readonly routes: readonly ChatRoute[];

  constructor(private readonly checks: ChatCheckService) {
    const methods = ['GET', 'POST'] as const;
    this.routes = [
      {
        path: '/xmpp/check_password',
        methods,
        answer: (request, client) => this.checkPassword(request, client),
      },
      { path: '/xmpp/user_exists', methods, answer: (request, client) => this.userExists(request, client) },
      { path: '/xmpp/login', methods: ['POST'], answer: (request, client) => this.login(request, client) },
      ...MANAGEMENT.map((name): ChatRoute => {
        return { path: `/xmpp/${name}`, methods, answer: () => NOT_IMPLEMENTED };
      }),
    ];
  }

  private checkPassword(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'user');
    const secret = textOf(fields, 'pass');
    if (user === undefined || secret === undefined) return words.no;
    const domain = textOf(fields, 'server') ?? null;
    return say(this.checks.check({ adapter: 'xmpp', user, domain, secret }, client), words);
  }

  private userExists(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'user');
    if (user === undefined) return words.no;
    const domain = textOf(fields, 'server') ?? null;
    return say(this.checks.exists({ adapter: 'xmpp_user_exists', user, domain }, client), words);
  }

  private login(request: RawRequest, client: ChatClient): RawReply | Promise<RawReply> {
    const fields = readFields(request);
    const user = textOf(fields, 'username');
    const secret = textOf(fields, 'password');
    if (user === undefined || secret === undefined) return words.no;
    return say(this.checks.check({ adapter: 'xmpp_login', user, domain: null, secret }, client), words);
  }
}
