import { connect } from 'node:net';

/** A request as bytes on the wire; nothing is checked, completed or encoded. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** All that came back, head included. */
  readonly text: string;
}

/** Sends a request that a well-behaved client would refuse to send, on a connection of its own. */
export function sendRaw(url: string, request: RawRequest): Promise<RawAnswer> {
  const { method, target, headers = [], body } = request;
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(given.has('host') ? [] : [`Host: ${new URL(url).host}`]),
    'Connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === undefined || given.has('content-length') || given.has('transfer-encoding')
      ? []
      : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return exchange(url, Buffer.concat([head, Buffer.from(body ?? '')]));
}

/**
 * Writes bytes to the server and reads until it hangs up.
 *
 * @param hangUp says no more after that, so that the server finds the request broken off.
 */
export function exchange(
  url: string,
  bytes: Buffer | string,
  { hangUp = false }: { hangUp?: boolean } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    // The server may hang up on a request it will not read to the end; what it said before that counts.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const text = Buffer.concat(chunks).toString();
      if (text === '') reject(new Error('the server hung up without an answer'));
      else resolve(parse(text));
    });
    if (hangUp) socket.end(bytes);
    else socket.write(bytes);
  });
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(headers),
    body: text.slice(end + 4),
    text,
  };
}
