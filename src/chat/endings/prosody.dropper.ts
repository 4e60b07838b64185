import { Injectable } from '@nestjs/common';
import { DeliveryError } from '../../outbox/outbox-topic.js';
import { AdministrationCall, below } from './administration-call.js';
import type { ProsodyAdministration } from './administration.js';
import type { ChatDrop } from './chat-drop.js';
import type { ChatDropper, DropOptions } from './chat-dropper.js';

/** What opened a connection, where it was the account's password: no session has this id. */
const PASSWORD = 0;

/**
 * The module `mod_session_broker_kick` of `examples/chat/prosody`, which knows what opened each connection and ends
 * exactly those. Prosody chooses the virtual host by the Host header.
 */
@Injectable()
export class ProsodyDropper implements ChatDropper<'prosody'> {
  readonly kind = 'prosody';

  constructor(private readonly administration: AdministrationCall) {}

  async drop({ url, secret, host }: ProsodyAdministration, drop: ChatDrop, { signal }: DropOptions) {
    const virtualHost = drop.domain ?? host;
    if (virtualHost === undefined) throw new DeliveryError('no_host', false);
    const opened = drop.with_password ? [PASSWORD, ...drop.session_ids] : drop.session_ids;
    await this.administration.send({
      method: 'POST',
      url: below(url, '/session-broker/kick'),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, host: virtualHost },
      // Without them: all of the user's.
      body: JSON.stringify({ username: drop.user_name, ...(!drop.whole_user && { session_ids: opened }) }),
      signal,
    });
  }
}
