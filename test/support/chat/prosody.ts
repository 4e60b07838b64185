import { spawnSync } from 'node:child_process';
import type { TestAuthority } from '../tls/certificates.js';
import { CHAT_DOMAIN, ExampleFolder, freePorts } from './example.js';
import { ServerChild } from './server-child.js';

export interface ChatServerOptions {
  readonly authority: TestAuthority;
  /** Where it asks the broker. */
  readonly brokerUrl: string;
  /** Of the chat client. */
  readonly secret: string;
}

/** The ways in that clients of XMPP take. */
export const XMPP_TRANSPORTS = ['starttls', 'tls', 'websocket'] as const;
export type XmppTransport = (typeof XMPP_TRANSPORTS)[number];

/** Prosody, from `examples/chat/prosody` as it stands. */
export class Prosody {
  static readonly KICK_SECRET = 'a-secret-between-broker-and-prosody';

  private constructor(
    private readonly folder: ExampleFolder,
    private readonly child: ServerChild,
    private readonly ports: Readonly<Record<'tcp' | 'tls' | 'web' | 'kick', number>>,
  ) {}

  static async start({ authority, brokerUrl, secret }: ChatServerOptions): Promise<Prosody> {
    const folder = ExampleFolder.make('prosody', authority);
    const ports = await freePorts('tcp', 'tls', 'web', 'kick');
    const config = folder.copy('prosody.cfg.lua');
    const env = {
      CHAT_DOMAIN,
      CHAT_CERTIFICATE: folder.at('server.crt'),
      CHAT_CERTIFICATE_KEY: folder.at('server.key'),
      CHAT_CLIENT_SECRET: secret,
      CHAT_KICK_SECRET: Prosody.KICK_SECRET,
      BROKER_URL: brokerUrl,
      CHAT_LISTEN: '127.0.0.1',
      CHAT_PORT: String(ports.tcp),
      CHAT_TLS_PORT: String(ports.tls),
      CHAT_WEBSOCKET_PORT: String(ports.web),
      CHAT_KICK_PORT: String(ports.kick),
      PROSODY_DATA: folder.makeFolder('data'),
      PROSODY_MODULES: folder.copy('modules'),
    };
    const [command = '', ...args] = [...asItsUser(folder), 'prosody', '-F', '--config', config];
    const child = await ServerChild.start({
      command,
      args,
      env,
      folder: folder.path,
      ports: Object.values(ports),
    });
    return new Prosody(folder, child, ports);
  }

  get log(): string {
    return this.child.log;
  }

  /** Where the broker ends connections. */
  get kickUrl(): string {
    return `http://127.0.0.1:${this.ports.kick}`;
  }

  service(transport: XmppTransport): string {
    if (transport === 'starttls') return `xmpp://${CHAT_DOMAIN}:${this.ports.tcp}`;
    if (transport === 'tls') return `xmpps://${CHAT_DOMAIN}:${this.ports.tls}`;
    return `wss://${CHAT_DOMAIN}:${this.ports.web}/xmpp-websocket`;
  }

  async stop(): Promise<void> {
    await this.child.stop();
    this.folder.remove();
  }
}

/** Prosody refuses to run as root. */
function asItsUser(folder: ExampleFolder): readonly string[] {
  if (process.getuid?.() !== 0 || spawnSync('id', ['prosody']).status !== 0) return [];
  folder.giveTo('prosody');
  return ['setpriv', '--reuid=prosody', '--regid=prosody', '--clear-groups'];
}
