import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ManagementConfig } from '../config/config.js';
import { Exposition, EXPOSITION_TYPE } from './exposition.js';
import { Health } from './health.js';

/** /health and /metrics on a port of their own, which a firewall can keep from clients. */
@Injectable()
export class ManagementServer implements OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly config: ManagementConfig,
    private readonly health: Health,
    private readonly exposition: Exposition,
  ) {}

  /** Listens when configured. @returns the address, or null when the main port serves these. */
  async start(): Promise<string | null> {
    if (this.config.port === null) return null;
    const server = createServer((request, response) => {
      void this.answer(request.method === 'GET' ? request.url : undefined, response);
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.config.port!, this.config.host, resolve);
    });
    return `http://${this.config.host}:${(server.address() as AddressInfo).port}`;
  }

  async onApplicationShutdown(): Promise<void> {
    const server = this.server;
    if (!server) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private async answer(path: string | undefined, response: ServerResponse): Promise<void> {
    if (path === '/health/live') return send(response, 200, { status: 'live' });
    if (path === '/health/ready') {
      const ready = await this.health.isReady();
      return send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'unavailable' });
    }
    if (path === '/metrics') return this.scrape(response);
    send(response, 404, { status: 'not found' });
  }

  private async scrape(response: ServerResponse): Promise<void> {
    try {
      const text = await this.exposition.text();
      response.writeHead(200, { 'content-type': EXPOSITION_TYPE }).end(text);
    } catch {
      send(response, 503, { status: 'unavailable' });
    }
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
