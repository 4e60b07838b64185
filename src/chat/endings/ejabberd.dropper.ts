import { Injectable } from '@nestjs/common';
import { DeliveryError } from '../../outbox/outbox-topic.js';
import { AdministrationCall, basicHeader, below } from './administration-call.js';
import type { EjabberdAdministration } from './administration.js';
import type { ChatDrop } from './chat-drop.js';
import type { ChatDropper, DropOptions } from './chat-dropper.js';

/**
 * ejabberd's HTTP API (mod_http_api, command `kick_user` of mod_admin_extra). It cannot tell which session opened what:
 * every resource of the user is disconnected, and the apps whose sessions go on connect again.
 */
@Injectable()
export class EjabberdDropper implements ChatDropper<'ejabberd'> {
  readonly kind = 'ejabberd';

  constructor(private readonly administration: AdministrationCall) {}

  async drop({ url, bearer, basic, host }: EjabberdAdministration, drop: ChatDrop, { signal }: DropOptions) {
    const virtualHost = drop.domain ?? host;
    // ejabberd asks about "user@host": it is the operator who has to say which host, where nobody named one.
    if (virtualHost === undefined) throw new DeliveryError('no_host', false);
    const authorization =
      bearer !== undefined ? `Bearer ${bearer}` : basic && basicHeader(basic.user, basic.password);
    await this.administration.send({
      method: 'POST',
      url: below(url, '/api/kick_user'),
      headers: { 'content-type': 'application/json', ...(authorization !== undefined && { authorization }) },
      body: JSON.stringify({ user: drop.user_name, host: virtualHost }),
      signal,
    });
  }
}
