import { Injectable } from '@nestjs/common';
import { Logger } from '../../observability/logger.js';
import type { OutboxMessage } from '../../outbox/outbox-message.js';
import type { Delivered, OutboxTopic } from '../../outbox/outbox-topic.js';
import { ChatAdministrations } from './chat-administrations.js';
import { CHAT_DROP, chatDropSchema } from './chat-drop.js';
import { ChatDroppers } from './chat-droppers.js';

/** Ends one user's connections at one chat server. */
@Injectable()
export class ChatDropTopic implements OutboxTopic {
  readonly name = CHAT_DROP;

  constructor(
    private readonly administrations: ChatAdministrations,
    private readonly droppers: ChatDroppers,
    private readonly logger: Logger,
  ) {}

  async deliver(message: OutboxMessage, { signal }: { readonly signal: AbortSignal }): Promise<Delivered> {
    const drop = chatDropSchema.parse(message.payload);
    const administration = await this.administrations.of(drop.chat_client_id);
    const fields = {
      chat_client_id: drop.chat_client_id,
      application_id: drop.application_id,
      user_id: drop.user_id,
      reason: drop.reason,
    };
    if (administration === null) {
      this.logger.info(fields, 'chat not ended: the chat client has no administration');
      return 'done';
    }
    await this.droppers.drop(administration, drop, { signal, ...deliveryOf(message) });
    this.logger.debug({ ...fields, kind: administration.kind }, 'chat ended');
    return 'done';
  }
}

/** Ids begin anew in a restored database; with the time beside it, one that a receiver has seen does not come again. */
export function deliveryOf({ id, createdAt }: OutboxMessage): {
  readonly id: string;
  readonly orderedAt: number;
} {
  return { id: `msg_${createdAt}_${id}`, orderedAt: createdAt };
}
