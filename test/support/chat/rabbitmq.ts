import { readFileSync } from 'node:fs';
import { CHAT_DOMAIN, ExampleFolder, freePorts } from './example.js';
import type { ChatServerOptions } from './prosody.js';
import { ServerChild } from './server-child.js';

/** Not the program on the PATH, which runs it as another user. */
const RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const ONLY_HERE = '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2';

/** RabbitMQ, from `examples/chat/rabbitmq` as it stands. */
export class RabbitMq {
  private constructor(
    private readonly folder: ExampleFolder,
    private readonly child: ServerChild,
    private readonly epmd: ServerChild,
    readonly ports: Readonly<Record<'amqp' | 'mqtt' | 'kick', number>>,
  ) {}

  /** The account with which the broker ends connections. */
  static readonly KICK = { user: 'session-broker', password: 'a-password-between-broker-and-rabbitmq' };

  static async start({ authority, brokerUrl, secret }: ChatServerOptions): Promise<RabbitMq> {
    const folder = ExampleFolder.make('rabbitmq', authority);
    const { epmd, nodes, ...ports } = await freePorts('amqp', 'mqtt', 'kick', 'epmd', 'nodes');
    const config = folder.fill('rabbitmq.conf', {
      CHAT_CLIENT_SECRET: secret,
      CHAT_KICK_PASSWORD: RabbitMq.KICK.password,
      CHAT_CERTIFICATE: folder.at('server.crt'),
      CHAT_CERTIFICATE_KEY: folder.at('server.key'),
      BROKER_URL: brokerUrl,
      CHAT_LISTEN: '127.0.0.1',
      CHAT_AMQP_PORT: String(ports.amqp),
      CHAT_MQTT_PORT: String(ports.mqtt),
      CHAT_KICK_PORT: String(ports.kick),
    });
    const names = { ERL_EPMD_ADDRESS: '127.0.0.1', ERL_EPMD_PORT: String(epmd) };
    // The daemon in which nodes of Erlang find each other. RabbitMQ would start one that stays.
    const daemon = await ServerChild.start({
      command: 'epmd',
      args: ['-address', '127.0.0.1', '-port', String(epmd)],
      folder: folder.path,
      ports: [epmd],
    });
    try {
      const child = await ServerChild.start({
        command: RABBITMQ,
        args: [],
        env: {
          ...names,
          RABBITMQ_NODENAME: `test-${ports.amqp}@localhost`,
          RABBITMQ_CONF_ENV_FILE: '/dev/null',
          RABBITMQ_CONFIG_FILE: config,
          RABBITMQ_ENABLED_PLUGINS_FILE: folder.copy('enabled_plugins'),
          RABBITMQ_MNESIA_BASE: folder.makeFolder('mnesia'),
          RABBITMQ_LOG_BASE: folder.makeFolder('log'),
          RABBITMQ_PID_FILE: folder.at('rabbitmq.pid'),
          RABBITMQ_DIST_PORT: String(nodes),
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: ONLY_HERE,
        },
        folder: folder.path,
        ports: Object.values(ports),
      });
      return new RabbitMq(folder, child, daemon, ports);
    } catch (error) {
      await daemon.stop();
      throw error;
    }
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

  async stop(): Promise<void> {
    // The child is a shell, which waits for the server and passes nothing on.
    await this.child.stop(Number(readFileSync(this.folder.at('rabbitmq.pid'), 'utf8')));
    await this.epmd.stop();
    this.folder.remove();
  }
}
