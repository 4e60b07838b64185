import { ChatClientsService } from '../../../src/chat/clients/chat-clients.service.js';
import type { Application } from '../../../src/applications/application.js';
import { OutboxRunner } from '../../../src/outbox/outbox-runner.js';
import { TestApp } from '../test-app.js';
import { TestAuthority } from '../tls/certificates.js';
import { WaywardProxy } from './wayward-proxy.js';

/** Somebody with a session of their own. */
export interface ChatUser {
  readonly id: number;
  readonly applicationId: number;
  /** What chat servers call them. */
  readonly name: string;
  /** Of their session. */
  readonly token: string;
}

/** The broker with an application and a chat client, reached by a way on which things can go wrong. */
export class ChatStage {
  readonly authority = TestAuthority.named('Chat test authority');
  private last = 0;

  private constructor(
    readonly app: TestApp,
    readonly broker: WaywardProxy,
    readonly application: Application,
    /** Of the chat client, which may ask about all applications. */
    readonly clientId: number,
    readonly secret: string,
  ) {}

  /** @param env of the broker, beside what the stage needs. */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<ChatStage> {
    const app = await TestApp.start('sqlite', { env: { OUTBOUND_ALLOW: '127.0.0.1', ...env } });
    const broker = await WaywardProxy.before(app.url);
    const application = await app.createApplication();
    const clients = app.app.get(ChatClientsService, { strict: false });
    const made = await clients.create({ name: 'chat', applicationId: null, administration: null });
    // As a serving process does. What is due is judged by the clock of the test.
    app.app.get(OutboxRunner, { strict: false }).start();
    return new ChatStage(app, broker, application, made.client.id, made.secret);
  }

  /** What a chat server has to know. */
  get options() {
    return { authority: this.authority, brokerUrl: this.broker.url, secret: this.secret };
  }

  /** Somebody new, signed up and in. */
  async user(application = this.application): Promise<ChatUser> {
    const { session } = await this.app.api.user(application, `user-${(this.last += 1)}`);
    const { user_id: id, token } = session;
    return { id: id!, applicationId: application.id, name: `${id}-${application.id}`, token };
  }

  /** Another session of somebody who has one. */
  async again(user: ChatUser): Promise<ChatUser> {
    const { api } = this.app;
    const me = await api.get<{ user: { login: string } }>('/v1/users/me', user.token);
    const { session } = await api.signIn(this.application, { login: me.body.user.login });
    return { ...user, token: session.token };
  }

  /** Lets time pass, and what has become due by that be done. */
  async pass(time: { readonly minutes?: number; readonly seconds?: number }): Promise<void> {
    this.app.clock.advance(time);
    await this.app.app.get(OutboxRunner, { strict: false }).runDue();
  }

  async stop(): Promise<void> {
    await this.broker.close();
    await this.app.stop();
  }
}
