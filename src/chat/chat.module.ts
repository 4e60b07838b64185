import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { RawFaces } from '../http/raw/raw-routes.js';
import { LocalAuthModule } from '../local-auth/local-auth.module.js';
import { SessionModule } from '../session/session.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { TimeModule } from '../time/time.module.js';
import { VerifyAdapter } from './adapters/verify.adapter.js';
import { ChatCheckService } from './chat-check.service.js';
import { chatFace } from './chat-face.js';
import { ChatClientGuard } from './clients/chat-client.guard.js';
import { ChatClientsModule } from './clients/chat-clients.module.js';
import { ChatEndingsModule } from './endings/chat-endings.module.js';

/**
 * Owns the answer to chat servers that ask whether a user may log in: one rule, and an adapter for each protocol. Whose
 * token and whose password it is, `session` and `local-auth` say. Routes: everything below /chat.
 */
@Module({
  imports: [
    AccountsModule,
    ApplicationsModule,
    ChatClientsModule,
    ChatEndingsModule,
    LocalAuthModule,
    SessionModule,
    ThrottleModule,
    TimeModule,
  ],
  providers: [ChatCheckService, VerifyAdapter],
  exports: [ChatCheckService, ChatClientsModule],
})
export class ChatModule {
  constructor(faces: RawFaces, guard: ChatClientGuard, verify: VerifyAdapter) {
    faces.add(chatFace([verify], guard));
  }
}
