import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';

/** What no longer comes through from the server: nothing held back, the answers to LISTEN, or everything. */
type Hole = 'none' | 'doorbell' | 'everything';

/**
 * Stands between a server and PostgreSQL, and can let connections stay open while nothing arrives over them any more:
 * what a firewall that forgets a connection does.
 */
export class BlackHoleProxy {
  /** Bytes that were swallowed: a test that swallows none proves nothing. */
  swallowed = 0;
  private hole: Hole = 'none';
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  /** @param target where PostgreSQL really is. */
  static async start(target: string): Promise<BlackHoleProxy> {
    const server = createServer();
    const proxy = new BlackHoleProxy(server, new URL(target));
    server.on('connection', (socket) => proxy.join(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The target's URL by way of this proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  /** Connections that are open now and, in the case of `everything`, new ones too. */
  swallow(hole: Hole): void {
    this.hole = hole;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const upstream = connect(Number(this.target.port), this.target.hostname);
    let listens = false;
    client.on('data', (bytes) => {
      if (bytes.includes('LISTEN ')) listens = true;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (this.hole === 'everything' || (this.hole === 'doorbell' && listens)) this.swallowed += bytes.length;
      else client.write(bytes);
    });
    for (const [one, another] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        this.sockets.delete(one);
        another.destroy();
      });
    }
  }
}
