import { once } from 'node:events';
import {
  createServer,
  request as forward,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What comes back in the place of an answer. */
export type Trouble = 'status 500' | 'status 503' | 'page' | 'hang up' | 'hang' | 'down';

/** Stands between one server and another, and can get in their way. */
export class WaywardProxy {
  /** How many requests have come. */
  requests = 0;
  private trouble: Trouble | null = null;
  private server: Server | null = null;
  private port = 0;
  private readonly waiting = new Set<ServerResponse>();

  private constructor(private readonly target: URL) {}

  /** @param target where requests go while all is well. */
  static async before(target: string): Promise<WaywardProxy> {
    const proxy = new WaywardProxy(new URL(target));
    await proxy.listen();
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Until `mend`. */
  async cause(trouble: Trouble): Promise<void> {
    await this.mend();
    this.trouble = trouble;
    if (trouble === 'down') await this.close();
  }

  /** All is well again, on the same port. */
  async mend(): Promise<void> {
    for (const response of this.waiting) response.destroy();
    this.waiting.clear();
    this.trouble = null;
    if (!this.server) await this.listen();
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  private async listen(): Promise<void> {
    this.server = createServer((request, response) => this.handle(request, response));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    this.requests += 1;
    switch (this.trouble) {
      case 'status 500':
      case 'status 503':
        response.writeHead(Number(this.trouble.slice(-3))).end();
        return;
      case 'page':
        // What a gateway or a single-page app answers to everything.
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>allow true</html>');
        return;
      case 'hang up':
        request.socket.destroy();
        return;
      case 'hang':
        this.waiting.add(response);
        return;
      default:
        this.pass(request, response);
    }
  }

  private pass(request: IncomingMessage, response: ServerResponse): void {
    const { hostname, port } = this.target;
    const { method, url, headers } = request;
    const sent = forward({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    sent.on('error', () => response.destroy());
    request.pipe(sent);
  }
}
