import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { NewMessage, OutboxMessage } from '../../outbox/outbox-message.js';
import { Outbox } from '../../outbox/outbox.js';
import type { Delivered, OutboxTopic } from '../../outbox/outbox-topic.js';
import { Transactions } from '../../persistence/transactions.js';
import { Clock } from '../../time/clock.js';
import { ChatLoginRepository } from './chat-login.repository.js';
import { ChatLogins } from './chat-logins.js';
import { chatDrops } from './chat-drop.js';

const TOPIC = 'chat.application-ended';

/** Of one transaction: on SQLite it runs on the event loop, and holds up every other write. */
const BATCH = 200;

const payloadSchema = z.strictObject({ application_id: z.int().positive(), up_to_session_id: z.int() });

/** Every session of an application is over: one message, however many they are. */
export function applicationEnded(applicationId: number, upToSessionId: number): NewMessage {
  return {
    topic: TOPIC,
    target: `application:${applicationId}`,
    payload: { application_id: applicationId, up_to_session_id: upToSessionId },
  };
}

/** Ends the chats of all sessions of an application, some in each transaction, until none is left. */
@Injectable()
export class ApplicationEndedTopic implements OutboxTopic {
  readonly name = TOPIC;

  constructor(
    private readonly rows: ChatLoginRepository,
    private readonly logins: ChatLogins,
    private readonly outbox: Outbox,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  async deliver(message: OutboxMessage): Promise<Delivered> {
    const { application_id, up_to_session_id } = payloadSchema.parse(message.payload);
    const removed = await this.transactions.run(async () => {
      const some = await this.rows.removeOfApplication(application_id, up_to_session_id, BATCH);
      this.logins.forget(some.flatMap(({ sessionId }) => sessionId ?? []));
      await this.outbox.add(chatDrops(some, 'application_ended', this.clock.now()));
      return some.length;
    });
    return removed < BATCH ? 'done' : 'again';
  }
}
