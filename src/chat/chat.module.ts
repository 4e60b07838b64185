import { Module } from '@nestjs/common';
import { AccountsModule } from '../accounts/accounts.module.js';
import { ApplicationsModule } from '../applications/applications.module.js';
import { RawFaces } from '../http/raw/raw-routes.js';
import { LocalAuthModule } from '../local-auth/local-auth.module.js';
import { SessionModule } from '../session/session.module.js';
import { ThrottleModule } from '../throttle/throttle.module.js';
import { TimeModule } from '../time/time.module.js';
import { BasicAdapter } from './adapters/basic.adapter.js';
import { CentrifugoAdapter } from './adapters/centrifugo.adapter.js';
import { EjabberdOauthAdapter } from './adapters/ejabberd-oauth.adapter.js';
import { EmqxAdapter } from './adapters/emqx.adapter.js';
import { ForwardAdapter } from './adapters/forward.adapter.js';
import { MatrixAdapter } from './adapters/matrix.adapter.js';
import { MosquittoAdapter } from './adapters/mosquitto.adapter.js';
import { RabbitMqAdapter } from './adapters/rabbitmq.adapter.js';
import { VerifyAdapter } from './adapters/verify.adapter.js';
import { VerneMqAdapter } from './adapters/vernemq.adapter.js';
import { XmppAdapter } from './adapters/xmpp.adapter.js';
import type { ChatAdapter } from './adapters/chat-adapter.js';
import { ChatCheckService } from './chat-check.service.js';
import { chatFaces } from './chat-face.js';
import { TurnCredentials } from './turn-credentials.js';
import { ChatClientGuard } from './clients/chat-client.guard.js';
import { ChatClientsModule } from './clients/chat-clients.module.js';
import { ChatEndingsModule } from './endings/chat-endings.module.js';

const adapters = [
  VerifyAdapter,
  XmppAdapter,
  BasicAdapter,
  RabbitMqAdapter,
  EmqxAdapter,
  MosquittoAdapter,
  VerneMqAdapter,
  ForwardAdapter,
  EjabberdOauthAdapter,
  MatrixAdapter,
  CentrifugoAdapter,
] as const;

class ChatAdapters {
  constructor(readonly all: readonly ChatAdapter[]) {}
}

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
  providers: [
    ChatCheckService,
    TurnCredentials,
    ...adapters,
    {
      provide: ChatAdapters,
      inject: [...adapters],
      useFactory: (...all: ChatAdapter[]) => new ChatAdapters(all),
    },
  ],
  exports: [ChatCheckService, ChatClientsModule, TurnCredentials],
})
export class ChatModule {
  constructor(faces: RawFaces, guard: ChatClientGuard, adapters: ChatAdapters, matrix: MatrixAdapter) {
    for (const face of chatFaces(adapters.all, matrix, guard)) faces.add(face);
  }
}
