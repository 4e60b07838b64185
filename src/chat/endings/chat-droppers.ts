import { Injectable } from '@nestjs/common';
import type { Administration } from './administration.js';
import type { ChatDrop } from './chat-drop.js';
import type { DropOptions } from './chat-dropper.js';
import { EjabberdDropper } from './ejabberd.dropper.js';
import { ProsodyDropper } from './prosody.dropper.js';
import { RabbitmqDropper } from './rabbitmq.dropper.js';
import { WebhookDropper } from './webhook.dropper.js';

/** Whoever ends connections at this kind of server. */
@Injectable()
export class ChatDroppers {
  constructor(
    private readonly ejabberd: EjabberdDropper,
    private readonly prosody: ProsodyDropper,
    private readonly rabbitmq: RabbitmqDropper,
    private readonly webhook: WebhookDropper,
  ) {}

  /** @throws DeliveryError as `ChatDropper.drop`. */
  drop(administration: Administration, drop: ChatDrop, options: DropOptions): Promise<void> {
    switch (administration.kind) {
      case 'ejabberd':
        return this.ejabberd.drop(administration, drop, options);
      case 'prosody':
        return this.prosody.drop(administration, drop, options);
      case 'rabbitmq':
        return this.rabbitmq.drop(administration, drop, options);
      case 'webhook':
        return this.webhook.drop(administration, drop, options);
    }
  }
}
