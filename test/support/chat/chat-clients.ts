import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PEERS } from '../install-peers-where-stale.ts';
import type { TestAuthority } from '../tls/certificates.js';

/** What to connect with: `@xmpp/client`, the ConnectyCube SDK, `amqplib` or `mqtt`. */
export type Login =
  | {
      readonly kind: 'xmpp';
      readonly service: string;
      readonly domain: string;
      readonly username: string;
      readonly password?: string;
      /** ejabberd's own, in the place of PLAIN. */
      readonly mechanism?: 'X-OAUTH2';
      /** In the place of one password: one for each time that it connects; it comes back when its connection breaks. */
      readonly passwords?: readonly string[];
    }
  | {
      readonly kind: 'connectycube';
      readonly service: string;
      readonly domain: string;
      readonly userId: number;
      readonly appId: number;
      readonly password: string;
    }
  | {
      readonly kind: 'amqp';
      readonly hostname: string;
      readonly port: number;
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly kind: 'mqtt';
      readonly url: string;
      readonly username: string;
      readonly password: string;
      readonly protocolVersion: 4 | 5;
    };

export interface Heard {
  readonly from: string;
  readonly body: string;
}

interface FromChild {
  readonly id?: number;
  readonly value?: number | null;
  readonly refused?: string;
  readonly connection?: number;
  readonly heard?: Heard;
  readonly gone?: string;
}

/** A login that was refused, with the client's own word for it: `not-authorized`, `code 4`. */
export class RefusedLogin extends Error {
  override readonly name = 'RefusedLogin';
}

/** A connection of somebody who was let in. */
export class ChatConnection {
  /** The client's word for how it ended, once it has; null while it is open. */
  ended: string | null = null;
  private readonly events = new EventEmitter();
  private readonly unread: Heard[] = [];

  constructor(
    private readonly order: (name: string, rest: object) => Promise<unknown>,
    private readonly connection: number,
  ) {}

  send(to: string, body: string): Promise<unknown> {
    return this.order('send', { connection: this.connection, to, body });
  }

  subscribe(topic: string): Promise<unknown> {
    return this.order('subscribe', { connection: this.connection, topic });
  }

  /** Breaks the connection, as when the network goes. */
  cut(): Promise<unknown> {
    return this.order('cut', { connection: this.connection });
  }

  close(): Promise<unknown> {
    return this.order('close', { connection: this.connection });
  }

  /** The next message that nobody has read yet. */
  async next(): Promise<Heard> {
    while (this.unread.length === 0) await once(this.events, 'heard');
    return this.unread.shift()!;
  }

  /** Resolves to the client's word for it when the connection has ended. */
  async end(): Promise<string> {
    if (this.ended === null) await once(this.events, 'gone');
    return this.ended!;
  }

  /** For the process that runs the client. */
  tell({ heard, gone }: FromChild): void {
    if (heard) {
      this.unread.push(heard);
      this.events.emit('heard');
    }
    if (gone !== undefined) {
      this.ended ??= gone;
      this.events.emit('gone');
    }
  }
}

/** Chat clients as apps use them, in a process that trusts the authority of the test. */
export class ChatClients {
  private readonly connections = new Map<number, ChatConnection>();
  private readonly answers = new EventEmitter();
  private last = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    this.answers.setMaxListeners(0);
    child.on('message', (message: FromChild) => {
      if (message.id !== undefined) this.answers.emit(String(message.id), message);
      else this.connections.get(message.connection!)?.tell(message);
    });
  }

  static start(authority: TestAuthority): ChatClients {
    const folder = mkdtempSync(join(tmpdir(), 'ostiary-chat-clients-'));
    const trusted = join(folder, 'authority.pem');
    writeFileSync(trusted, authority.certificate);
    const child = fork(join(PEERS, 'chat-clients.mjs'), {
      env: { PATH: process.env['PATH'], NODE_EXTRA_CA_CERTS: trusted },
      execArgv: [],
      // The SDKs write what they think to the console.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return new ChatClients(child, folder);
  }

  /** @throws RefusedLogin when the server does not let it in. */
  async open(login: Login): Promise<ChatConnection> {
    const connection = (await this.order('open', login)) as number;
    const opened = new ChatConnection((name, rest) => this.order(name, rest), connection);
    this.connections.set(connection, opened);
    return opened;
  }

  /** Tries a login and leaves again. @returns `in`, or the client's word for the refusal. */
  async outcome(login: Login): Promise<string> {
    try {
      const connection = await this.open(login);
      await connection.close();
      return 'in';
    } catch (error) {
      if (error instanceof RefusedLogin) return error.message;
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.child.connected) {
      const exited = once(this.child, 'exit');
      this.child.disconnect();
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async order(order: string, rest: object): Promise<unknown> {
    const id = (this.last += 1);
    const answered = once(this.answers, String(id));
    this.child.send({ order, id, ...rest });
    const [{ value, refused }] = (await answered) as [FromChild];
    if (refused !== undefined) throw new RefusedLogin(refused);
    return value;
  }
}
