import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface ScriptedServer {
  readonly url: string;
  /** Those that came, `METHOD path`. */
  readonly requests: string[];
  readonly heads: IncomingMessage['headers'][];
  /** What every request gets from now on. */
  answer(answer: ScriptedAnswer): void;
  /** From now on nothing is answered. */
  stall(): void;
  /** From now on the answer begins and has no end. */
  drip(): void;
  /** From now on the connection ends in the place of an answer. */
  hangUp(): void;
  close(): Promise<void>;
}

/** A server that answers each request as it was told last. @param port a free one where none is given. */
export async function scriptedServer({ port = 0 } = {}): Promise<ScriptedServer> {
  let current: ScriptedAnswer | 'stall' | 'drip' | 'hang up' = { body: '' };
  const requests: string[] = [];
  const heads: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    heads.push(request.headers);
    if (current === 'stall') return;
    if (current === 'hang up') return void request.socket.destroy();
    if (current === 'drip') return void response.writeHead(200).write('{');
    response.writeHead(current.status ?? 200, current.headers).end(current.body);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    heads,
    answer: (answer) => (current = answer),
    stall: () => (current = 'stall'),
    drip: () => (current = 'drip'),
    hangUp: () => (current = 'hang up'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
