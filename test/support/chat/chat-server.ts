import { ChatClientsService } from '../../../src/chat/clients/chat-clients.service.js';
import type { Application } from '../../../src/applications/application.js';
import { sendRaw, type RawAnswer } from '../raw-http.js';
import type { TestApp } from '../test-app.js';

/** A question as a chat server sends it, byte for byte. */
export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A chat client of an installation, asking as its chat server would. */
export class ChatServer {
  private constructor(
    private readonly url: string,
    readonly id: number,
    readonly secret: string,
  ) {}

  /**
   * @param application null: it may ask about everybody. @param administration how its connections are ended; null: not
   *   at all.
   */
  static async create(
    server: TestApp,
    application: Application | null = null,
    administration: object | null = null,
  ): Promise<ChatServer> {
    const clients = server.app.get(ChatClientsService, { strict: false });
    const made = await clients.create({
      name: 'Test',
      applicationId: application?.id ?? null,
      administration,
    });
    return new ChatServer(server.url, made.client.id, made.secret);
  }

  /** As a bearer, below /chat. */
  ask(path: string, { headers, ...sent }: Sent = {}): Promise<RawAnswer> {
    return this.send(`/chat${path}`, {
      ...sent,
      headers: { Authorization: `Bearer ${this.secret}`, ...headers },
    });
  }

  /** By the path alone. */
  askByPath(path: string, sent: Sent = {}): Promise<RawAnswer> {
    return this.send(`/chat/c/${this.secret}${path}`, sent);
  }

  /** As anybody. */
  send(target: string, { method, headers = {}, body }: Sent = {}): Promise<RawAnswer> {
    return sendRaw(this.url, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      target,
      headers: Object.entries(headers),
      ...(body !== undefined && { body }),
    });
  }

  /** The plain question. */
  verify(username: string, password: string, domain?: string): Promise<RawAnswer> {
    return this.ask('/verify', { body: JSON.stringify({ username, password, ...(domain && { domain }) }) });
  }
}
