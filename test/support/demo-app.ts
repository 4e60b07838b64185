import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { REPOSITORY } from './server-process.js';

export interface DemoSettings {
  readonly broker: string;
  readonly application_id: number;
  readonly auth_key: string;
}

/** The page of `examples/browser-sign-in` as it stands, on an origin of its own. */
export class DemoApp {
  /** The Referer of each request that had one. */
  readonly referrers: string[] = [];
  private settings: DemoSettings | null = null;

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<DemoApp> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const app = new DemoApp(server, `http://127.0.0.1:${port}`);
    const html = readFileSync(join(REPOSITORY, 'examples', 'browser-sign-in', 'index.html'));
    server.on('request', (request, response) => {
      if (request.headers.referer !== undefined) app.referrers.push(request.headers.referer);
      const { pathname } = new URL(request.url!, app.origin);
      if (pathname === '/') {
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
      } else if (pathname === '/settings.json') {
        const settings = { ...app.settings, redirect_uri: app.redirectUri };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(settings));
      } else {
        response.writeHead(404).end();
      }
    });
    return app;
  }

  get redirectUri(): string {
    return `${this.origin}/`;
  }

  use(settings: DemoSettings): void {
    this.settings = settings;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}
