import { Controller, Get, HttpCode, Param, Post, Query, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { BrokerError } from '../errors/broker-error.js';
import { OutboxDesk } from '../outbox/outbox-desk.js';
import { toOutboxDocument } from '../outbox/outbox-document.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { outboxQuery, toMessageId } from './requests.js';
import { nextCursor, outboxAnswer, outboxMessageAnswer, outboxRetriedAnswer } from './responses.js';

/** What is to be told to others and is not delivered yet, or was given up. */
@Controller('admin/v1/outbox')
@UseGuards(AdminKeyGuard)
export class AdminOutboxController {
  constructor(private readonly outbox: OutboxDesk) {}

  @Get()
  @AdminOperation('viewer', {
    summary: 'Messages that are not delivered yet or were given up, oldest first',
    status: 200,
    answer: outboxAnswer,
  })
  async list(@Query({ schema: outboxQuery }) { failed, limit, cursor }: z.infer<typeof outboxQuery>) {
    const page = await this.outbox.list({ isFailed: failed, afterId: Number(cursor ?? 0), limit });
    return { items: page.map(toOutboxDocument), next_cursor: nextCursor(page, limit) };
  }

  @Post('retry')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Try every message again that was given up',
    status: 200,
    answer: outboxRetriedAnswer,
  })
  async retryAll() {
    return { retried: await this.outbox.retryAll() };
  }

  @Post(':message_id/retry')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Try a message now',
    status: 200,
    answer: outboxMessageAnswer,
    errors: ['outbox_message_not_found'],
  })
  async retry(@Param('message_id') messageId: string) {
    const message = await this.outbox.retry(toMessageId(messageId));
    if (!message) throw new BrokerError('outbox_message_not_found');
    return toOutboxDocument(message);
  }
}
