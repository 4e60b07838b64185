import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Exposition, EXPOSITION_TYPE } from './exposition.js';
import { Health } from './health.js';

/** Probes and Prometheus on the main port; absent when `management.port` gives them one of their own. */
@Controller()
export class ProbesController {
  constructor(
    private readonly health: Health,
    private readonly exposition: Exposition,
  ) {}

  /** The process answers. Says nothing about the database: restarting would not mend that. */
  @Get('health/live')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('health/ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const ready = await this.health.isReady();
    await reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'unavailable' });
  }

  @Get('metrics')
  async scrape(@Res() reply: FastifyReply): Promise<void> {
    const text = await this.exposition.text();
    await reply.type(EXPOSITION_TYPE).send(text);
  }
}
