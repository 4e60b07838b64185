import { CHAT_DOMAIN, ExampleFolder, freePorts } from './example.js';
import { ServerChild } from './server-child.js';
import type { TestAuthority } from '../tls/certificates.js';

const RELAYS = 20;

/** coturn, from `examples/chat/coturn` as it stands. */
export class Coturn {
  private constructor(
    private readonly folder: ExampleFolder,
    private readonly child: ServerChild,
    readonly port: number,
  ) {}

  /** @param secret shared with the broker. */
  static async start(authority: TestAuthority, secret: string): Promise<Coturn> {
    const folder = ExampleFolder.make('coturn', authority);
    const { port, tls, relay } = await freePorts('port', 'tls', 'relay');
    const config = folder.fill('turnserver.conf', {
      TURN_SECRET: secret,
      CHAT_DOMAIN,
      TURN_ADDRESS: '127.0.0.1',
      CHAT_CERTIFICATE: folder.at('server.crt'),
      CHAT_CERTIFICATE_KEY: folder.at('server.key'),
      TURN_PORT: String(port),
      TURN_TLS_PORT: String(tls),
      TURN_RELAY_FIRST: String(relay),
      TURN_RELAY_LAST: String(relay + RELAYS),
      TURN_STATE: folder.path,
    });
    const child = await ServerChild.start({
      command: 'turnserver',
      args: ['-c', config],
      folder: folder.path,
      ports: [port, tls],
    });
    return new Coturn(folder, child, port);
  }

  get log(): string {
    return this.child.log;
  }

  async stop(): Promise<void> {
    await this.child.stop();
    this.folder.remove();
  }
}
