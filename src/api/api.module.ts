import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { ChatModule } from '../chat/chat.module.js';
import { LocalAuthModule } from '../local-auth/local-auth.module.js';
import { SessionModule } from '../session/session.module.js';
import { TimeModule } from '../time/time.module.js';
import { ClientAuthentication, ClientGuard, SessionOrServerGuard } from './client.guards.js';
import { IdentitiesController } from './identities.controller.js';
import { MeController } from './me.controller.js';
import { SessionController } from './session.controller.js';
import { SessionsController } from './sessions.controller.js';
import { SignInController } from './sign-in.controller.js';
import { TurnController } from './turn.controller.js';
import { UsersController } from './users.controller.js';

/**
 * The native HTTP face: translates JSON under /v1 and holds no rules. Routes: /v1/sessions, /v1/session,
 * /v1/users, /v1/users/me, /v1/sign-in, /chat/turn.
 */
@Module({
  imports: [AccountsModule, ApplicationsModule, ChatModule, LocalAuthModule, SessionModule, TimeModule],
  controllers: [
    SessionsController,
    SessionController,
    UsersController,
    MeController,
    IdentitiesController,
    SignInController,
    TurnController,
  ],
  providers: [ClientAuthentication, ClientGuard, SessionOrServerGuard],
})
export class ApiModule {}
