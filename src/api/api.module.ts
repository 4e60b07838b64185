import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { LocalAuthModule } from '../local-auth/local-auth.module.js';
import { SessionModule } from '../session/session.module.js';
import { TimeModule } from '../time/time.module.js';
import { ClientAuthentication } from './client.guards.js';
import { MeController } from './me.controller.js';
import { SessionController } from './session.controller.js';
import { SessionsController } from './sessions.controller.js';
import { UsersController } from './users.controller.js';

/**
 * The native HTTP face: translates JSON under /v1 and holds no rules. Routes: /v1/sessions, /v1/session,
 * /v1/users, /v1/users/me.
 */
@Module({
  imports: [AccountsModule, ApplicationsModule, LocalAuthModule, SessionModule, TimeModule],
  controllers: [SessionsController, SessionController, UsersController, MeController],
  providers: [ClientAuthentication],
})
export class ApiModule {}
