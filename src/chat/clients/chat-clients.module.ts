import { Module } from '@nestjs/common';
import { ApplicationsModule } from '../../applications/applications.module.js';
import { TimeModule } from '../../time/time.module.js';
import { ChatClientGuard } from './chat-client.guard.js';
import { ChatClientDirectory } from './chat-client-directory.js';
import { ChatClientRepository } from './chat-client.repository.js';
import { ChatClientsService } from './chat-clients.service.js';

/** Owns the chat servers that may ask: their secrets, whose users they may ask about, and how they are administered. */
@Module({
  imports: [ApplicationsModule, TimeModule],
  providers: [ChatClientRepository, ChatClientDirectory, ChatClientsService, ChatClientGuard],
  exports: [ChatClientsService, ChatClientGuard],
})
export class ChatClientsModule {}
