import { readFileSync } from 'node:fs';
import { CHAT_DOMAIN, ExampleFolder, freePorts } from './example.js';
import type { ChatServerOptions } from './prosody.js';
import { ServerChild } from './server-child.js';

/** nginx, from `examples/chat/nginx` as it stands, in front of a chat server. */
export class Nginx {
  private constructor(
    private readonly folder: ExampleFolder,
    private readonly child: ServerChild,
    private readonly port: number,
  ) {}

  /** @param upstream host and port of the chat server behind it. */
  static async start({ authority, brokerUrl, secret }: ChatServerOptions, upstream: string): Promise<Nginx> {
    const folder = ExampleFolder.make('nginx', authority);
    const { port } = await freePorts('port');
    const config = folder.fill('nginx.conf', {
      CHAT_DOMAIN,
      CHAT_CERTIFICATE: folder.at('server.crt'),
      CHAT_CERTIFICATE_KEY: folder.at('server.key'),
      CHAT_CLIENT_SECRET: secret,
      CHAT_UPSTREAM: upstream,
      BROKER: new URL(brokerUrl).host,
      CHAT_LISTEN: '127.0.0.1',
      CHAT_PORT: String(port),
      NGINX_RUN: folder.path,
      NGINX_STATE: folder.path,
      NGINX_ERROR_LOG: 'stderr',
      NGINX_ACCESS_LOG: folder.at('access.log'),
    });
    const args = ['-c', config, '-p', folder.path, '-g', 'daemon off;'];
    const child = await ServerChild.start({ command: 'nginx', args, folder: folder.path, ports: [port] });
    return new Nginx(folder, child, port);
  }

  /** What it has written, its access log and its error log. */
  get log(): string {
    return this.child.log + readFileSync(this.folder.at('access.log'), 'utf8');
  }

  get host(): string {
    return `${CHAT_DOMAIN}:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.child.stop();
    this.folder.remove();
  }
}
