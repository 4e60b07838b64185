import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../server-process.js';
import { CHAT_DOMAIN, ExampleFolder, freePorts } from './example.js';
import type { ChatServerOptions, XmppTransport } from './prosody.js';
import { ServerChild } from './server-child.js';

/** Where Debian keeps what ejabberd is made of. */
const DEBIAN_LIBRARIES = '/usr/lib';
/** Schedulers of Erlang spin while they wait, which costs whoever shares the machine. */
const NO_SPINNING = ['+S', '2:2', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'];

/** ejabberd, from `examples/chat/ejabberd` as it stands, asking the broker through the built `ostiary chat-extauth`. */
export class Ejabberd {
  private constructor(
    private readonly folder: ExampleFolder,
    private readonly child: ServerChild,
    private readonly ports: Readonly<Record<'tcp' | 'tls' | 'web' | 'mqtt' | 'kick', number>>,
  ) {}

  /** @param adapt edits the filled configuration, as a comment in it tells an operator to. */
  static async start(
    { authority, brokerUrl, secret }: ChatServerOptions,
    adapt: (config: string) => string = (config) => config,
  ): Promise<Ejabberd> {
    const folder = ExampleFolder.make('ejabberd', authority);
    const ports = await freePorts('tcp', 'tls', 'web', 'mqtt', 'kick');
    const config = folder.fill('ejabberd.yml', {
      CHAT_DOMAIN,
      CHAT_CERTIFICATE: folder.at('server.pem'),
      CHAT_SECRET_FILE: folder.write('chat-client.secret', `${secret}\n`),
      OSTIARY: `${process.execPath} ${join(REPOSITORY, 'dist', 'cli.js')}`,
      CHAT_CLIENT_SECRET: secret,
      BROKER_URL: brokerUrl,
      CHAT_LISTEN: '127.0.0.1',
      CHAT_PORT: String(ports.tcp),
      CHAT_TLS_PORT: String(ports.tls),
      CHAT_WEBSOCKET_PORT: String(ports.web),
      CHAT_MQTT_PORT: String(ports.mqtt),
      CHAT_KICK_PORT: String(ports.kick),
    });
    folder.write('ejabberd.yml', adapt(readFileSync(config, 'utf8')));
    const child = await ServerChild.start({
      // Without ejabberdctl, which runs it as another user and under a name, for which it starts a daemon (epmd) that stays.
      command: 'erl',
      args: [
        ...['+K', 'true', ...NO_SPINNING, '-noinput'],
        ...['-mnesia', 'dir', `"${folder.makeFolder('db')}"`, '-s', 'ejabberd'],
      ],
      env: {
        ERL_LIBS: librariesOfEjabberd(),
        EJABBERD_CONFIG_PATH: config,
        EJABBERD_LOG_PATH: join(folder.makeFolder('log'), 'ejabberd.log'),
      },
      folder: folder.path,
      ports: Object.values(ports),
    });
    return new Ejabberd(folder, child, ports);
  }

  get log(): string {
    return this.child.log;
  }

  /** Where the broker ends connections. */
  get kickUrl(): string {
    return `http://127.0.0.1:${this.ports.kick}`;
  }

  get mqttUrl(): string {
    return `mqtts://${CHAT_DOMAIN}:${this.ports.mqtt}`;
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

/** The folder of the architecture, /usr/lib/x86_64-linux-gnu and the like, which `ejabberdctl` names to Erlang. */
function librariesOfEjabberd(): string {
  const folders = readdirSync(DEBIAN_LIBRARIES).map((name) => join(DEBIAN_LIBRARIES, name));
  const found = folders.find((folder) => existsSync(folder) && holdsEjabberd(folder));
  return found ?? DEBIAN_LIBRARIES;
}

function holdsEjabberd(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.startsWith('ejabberd-'));
  } catch {
    return false;
  }
}
