import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { toChatClientDocument } from '../chat/clients/chat-client-document.js';
import type { ChatClient } from '../chat/clients/chat-client.js';
import { ChatClientsService } from '../chat/clients/chat-clients.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { changeChatClientBody, chatClientsQuery, createChatClientBody, toId } from './requests.js';
import { chatClientAnswer, chatClientsAnswer, chatClientWithSecretAnswer } from './responses.js';

/** Chat servers that may ask who may log in. Their secrets are shown once, when they are made. */
@Controller('admin/v1/chat-clients')
@UseGuards(AdminKeyGuard)
export class AdminChatClientsController {
  constructor(private readonly clients: ChatClientsService) {}

  @Get()
  @AdminOperation('viewer', {
    summary: 'Chat clients, oldest first, revoked ones too',
    status: 200,
    answer: chatClientsAnswer,
  })
  async list(@Query({ schema: chatClientsQuery }) query: z.infer<typeof chatClientsQuery>) {
    const clients = await this.clients.list(query.application_id);
    return { items: await Promise.all(clients.map((client) => this.documentOf(client))) };
  }

  @Post()
  @HttpCode(201)
  @AdminOperation('operator', {
    summary: 'Let a chat server ask; the answer has its secret',
    status: 201,
    answer: chatClientWithSecretAnswer,
    errors: ['application_not_found'],
  })
  async create(@Body({ schema: createChatClientBody }) body: z.infer<typeof createChatClientBody>) {
    const { client, secret } = await this.clients.create({
      name: body.name,
      applicationId: body.application_id,
      administration: body.administration,
    });
    return { ...(await this.documentOf(client)), secret };
  }

  @Get(':client_id')
  @AdminOperation('viewer', {
    summary: 'One chat client',
    status: 200,
    answer: chatClientAnswer,
    errors: ['chat_client_not_found'],
  })
  async show(@Param('client_id') id: string) {
    return this.found(this.clients.find(toClientId(id)));
  }

  @Patch(':client_id')
  @AdminOperation('operator', {
    summary: 'Rename a chat client, or say how its live connections are ended',
    status: 200,
    answer: chatClientAnswer,
    errors: ['chat_client_not_found'],
  })
  async change(
    @Param('client_id') id: string,
    @Body({ schema: changeChatClientBody }) body: z.infer<typeof changeChatClientBody>,
  ) {
    const { name, administration } = body;
    const changes = {
      ...(name !== undefined && { name }),
      ...(administration !== undefined && { administration }),
    };
    return this.found(this.clients.change(toClientId(id), changes));
  }

  @Post(':client_id/rotate-secret')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Give a chat client a new secret; the old one is refused within two seconds',
    status: 200,
    answer: chatClientWithSecretAnswer,
    errors: ['chat_client_not_found'],
  })
  async rotateSecret(@Param('client_id') id: string) {
    const rotated = await this.clients.rotateSecret(toClientId(id));
    if (!rotated) throw new BrokerError('chat_client_not_found');
    return { ...(await this.documentOf(rotated.client)), secret: rotated.secret };
  }

  @Post(':client_id/revoke')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Refuse a chat client for good, within two seconds',
    status: 200,
    answer: chatClientAnswer,
    errors: ['chat_client_not_found'],
  })
  async revoke(@Param('client_id') id: string) {
    return this.found(this.clients.revoke(toClientId(id)));
  }

  private async found(finding: Promise<ChatClient | null>) {
    const client = await finding;
    if (!client) throw new BrokerError('chat_client_not_found');
    return this.documentOf(client);
  }

  private async documentOf(client: ChatClient) {
    const administration = client.hasAdministration
      ? await this.clients.findShownAdministration(client.id)
      : null;
    return toChatClientDocument(client, administration);
  }
}

function toClientId(parameter: string): number {
  return toId(parameter, 'chat_client_not_found');
}
