import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { AdminKeysModule } from '../admin-keys/admin-keys.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { IdentityProvidersModule } from '../identity-providers/identity-providers.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { SessionModule } from '../session/session.module.js';
import { AdminApplicationsController } from './applications.controller.js';
import { AdminAuditController } from './audit.controller.js';
import { AdminChatClientsController } from './chat-clients.controller.js';
import { AdminOutboxController } from './outbox.controller.js';
import { AdminIdentitiesController } from './identities.controller.js';
import { AdminProvidersController } from './providers.controller.js';
import { AdminRehearsalsController } from './rehearsals.controller.js';
import { AdminSecretsController } from './secrets.controller.js';
import { AdminUsersController } from './users.controller.js';

/**
 * The admin API: translates JSON under /admin/v1 for holders of admin keys, and holds no rules. Each route names the
 * role it needs. Keys are not made here. Routes: /admin/v1/applications and what is below, /admin/v1/audit,
 * /admin/v1/chat-clients, /admin/v1/outbox.
 */
@Module({
  imports: [
    AccountsModule,
    AdminKeysModule,
    ApplicationsModule,
    ChatModule,
    IdentityProvidersModule,
    OutboxModule,
    SessionModule,
  ],
  controllers: [
    AdminApplicationsController,
    AdminProvidersController,
    AdminRehearsalsController,
    AdminIdentitiesController,
    AdminSecretsController,
    AdminUsersController,
    AdminAuditController,
    AdminChatClientsController,
    AdminOutboxController,
  ],
})
export class AdminModule {}
