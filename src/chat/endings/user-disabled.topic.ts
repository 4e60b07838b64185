import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { NewMessage, OutboxMessage } from '../../outbox/outbox-message.js';
import { Outbox } from '../../outbox/outbox.js';
import type { Delivered, OutboxTopic } from '../../outbox/outbox-topic.js';
import { ChatAdministrations } from './chat-administrations.js';
import { chatClientTarget } from './chat-drop.js';
import { deliveryOf } from './chat-drop.topic.js';
import { WebhookDropper } from './webhook.dropper.js';

const ALL = 'chat.user-disabled';
const ONE = 'chat.user-disabled.client';

const id = z.int().positive();
const userSchema = z.strictObject({ application_id: id, user_id: id });
const tellSchema = userSchema.extend({ chat_client_id: id });

/** What is told of a disabled user, once for all who are to hear it. */
export function userDisabled(applicationId: number, userId: number): NewMessage {
  return {
    topic: ALL,
    target: `application:${applicationId}`,
    payload: { application_id: applicationId, user_id: userId },
  };
}

/**
 * Finds the chat servers that are told by webhook. Each gets a message of its own, whether the user was ever let in there
 * or not: such a program may have sessions of its own that nobody here knows of.
 */
@Injectable()
export class UserDisabledTopic implements OutboxTopic {
  readonly name = ALL;

  constructor(
    private readonly administrations: ChatAdministrations,
    private readonly outbox: Outbox,
  ) {}

  async deliver(message: OutboxMessage): Promise<Delivered> {
    const user = userSchema.parse(message.payload);
    const messages: NewMessage[] = [];
    for (const chat_client_id of await this.administrations.clientsOf(user.application_id)) {
      const administration = await this.administrations.of(chat_client_id);
      if (administration?.kind !== 'webhook') continue;
      messages.push({
        topic: ONE,
        target: chatClientTarget(chat_client_id),
        payload: { ...user, chat_client_id },
        deduplicationKey: `${ALL}:${message.id}:${chat_client_id}`,
      });
    }
    await this.outbox.add(messages);
    return 'done';
  }
}

/** Tells one chat server of a disabled user. */
@Injectable()
export class TellUserDisabledTopic implements OutboxTopic {
  readonly name = ONE;

  constructor(
    private readonly administrations: ChatAdministrations,
    private readonly webhook: WebhookDropper,
  ) {}

  async deliver(message: OutboxMessage, { signal }: { readonly signal: AbortSignal }): Promise<Delivered> {
    const { chat_client_id, ...data } = tellSchema.parse(message.payload);
    const administration = await this.administrations.of(chat_client_id);
    if (administration?.kind !== 'webhook') return 'done';
    const event = { type: 'user.disabled', data } as const;
    await this.webhook.tell(administration, event, { signal, ...deliveryOf(message) });
    return 'done';
  }
}
