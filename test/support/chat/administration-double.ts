import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call as it came. */
export interface AdministrationCallSeen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of the text, where that is JSON. */
  readonly body: unknown;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

type Script = (call: AdministrationCallSeen) => Reply | 'hang' | 'hang up';

/** The administration of a chat server, as far as its side of the wire goes. It can go away and come back. */
export class AdministrationDouble {
  readonly calls: AdministrationCallSeen[] = [];
  private script: Script = () => ({ status: 200, body: {} });
  private readonly waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  private readonly hanging: ServerResponse[] = [];

  private constructor(
    private server: Server,
    private readonly port: number,
  ) {}

  static async start(): Promise<AdministrationDouble> {
    const server = createServer();
    await listen(server, 0);
    const double = new AdministrationDouble(server, (server.address() as AddressInfo).port);
    double.attach(server);
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What every call gets from now on. */
  answers(script: Script): void {
    this.script = script;
  }

  /** Resolves when so many calls have come, since ever. */
  seen(count: number): Promise<void> {
    if (this.calls.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ count, resolve }));
  }

  /** From now on nobody listens there. */
  async goDown(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  async comeBack(): Promise<void> {
    this.server = createServer();
    this.attach(this.server);
    await listen(this.server, this.port);
  }

  async close(): Promise<void> {
    for (const response of this.hanging) response.destroy();
    if (this.server.listening) await this.goDown();
  }

  private attach(server: Server): void {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        this.reply(response, {
          method: request.method!,
          path: request.url!,
          headers: request.headers,
          text,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
        });
      });
    });
  }

  private reply(response: ServerResponse, call: AdministrationCallSeen): void {
    this.calls.push(call);
    const reply = this.script(call);
    if (reply === 'hang') this.hanging.push(response);
    else if (reply === 'hang up') response.destroy();
    else {
      response.writeHead(reply.status, { 'content-type': 'application/json' });
      response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
    }
    for (const { count, resolve } of this.waiting) if (this.calls.length >= count) resolve();
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}
