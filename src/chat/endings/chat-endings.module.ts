import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { ApplicationsModule } from '../../applications/applications.module.js';
import { JobRegistry } from '../../jobs/job-registry.js';
import { JobsModule } from '../../jobs/jobs.module.js';
import { OutboundModule } from '../../outbound/outbound.module.js';
import { OutboxModule } from '../../outbox/outbox.module.js';
import { OutboxTopics } from '../../outbox/outbox-topics.js';
import { SessionEndings } from '../../session/session-endings.js';
import { SessionModule } from '../../session/session.module.js';
import { TimeModule } from '../../time/time.module.js';
import { ChatClientsModule } from '../clients/chat-clients.module.js';
import { AdministrationCall } from './administration-call.js';
import { ApplicationEndedTopic } from './application-ended.topic.js';
import { ChatAdministrations } from './chat-administrations.js';
import { ChatDropTopic } from './chat-drop.topic.js';
import { ChatDroppers } from './chat-droppers.js';
import { ChatEndings } from './chat-endings.js';
import { ChatLoginRepository } from './chat-login.repository.js';
import { ChatLogins } from './chat-logins.js';
import { EjabberdDropper } from './ejabberd.dropper.js';
import { EndLapsedChatsJob } from './end-lapsed-chats.job.js';
import { ProsodyDropper } from './prosody.dropper.js';
import { RabbitmqDropper } from './rabbitmq.dropper.js';
import { TellUserDisabledTopic, UserDisabledTopic } from './user-disabled.topic.js';
import { WebhookDropper } from './webhook.dropper.js';

/**
 * Owns the end of chats: who was let in with what is remembered, and when that is over, the chat server is told by its own
 * means. When sessions are over, `session` says; how messages get there, `outbox`.
 */
@Module({
  imports: [
    AccountsModule,
    ApplicationsModule,
    ChatClientsModule,
    JobsModule,
    OutboundModule,
    OutboxModule,
    SessionModule,
    TimeModule,
  ],
  providers: [
    ChatLoginRepository,
    ChatLogins,
    ChatEndings,
    ChatAdministrations,
    AdministrationCall,
    EjabberdDropper,
    ProsodyDropper,
    RabbitmqDropper,
    WebhookDropper,
    ChatDroppers,
    ChatDropTopic,
    ApplicationEndedTopic,
    UserDisabledTopic,
    TellUserDisabledTopic,
    EndLapsedChatsJob,
  ],
  exports: [ChatLogins],
})
export class ChatEndingsModule {
  constructor(
    sessions: SessionEndings,
    endings: ChatEndings,
    outbox: OutboxTopics,
    drop: ChatDropTopic,
    applicationEnded: ApplicationEndedTopic,
    userDisabled: UserDisabledTopic,
    tellUserDisabled: TellUserDisabledTopic,
    jobs: JobRegistry,
    endLapsedChats: EndLapsedChatsJob,
  ) {
    sessions.register((over) => endings.onSessionsOver(over));
    for (const topic of [drop, applicationEnded, userDisabled, tellUserDisabled]) outbox.register(topic);
    jobs.register(endLapsedChats);
  }
}
