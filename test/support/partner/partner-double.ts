import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A user of the partner. */
export interface PartnerUser {
  readonly id: number | string;
  readonly login: string;
  readonly full_name: string;
  readonly email: string;
  readonly password: string;
}

/** A request as it arrived. */
export interface PartnerCall {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface PartnerAnswer {
  readonly status: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** What partners answer who refuse, by how it was seen. */
export const REFUSALS = {
  'status 401': { status: 401, type: 'application/json', body: '{"error":"invalid token"}' },
  'status 422, as the starter kits do': {
    status: 422,
    type: 'application/json',
    body: '{"error":"Wrong token"}',
  },
  'status 404 and nothing': { status: 404, body: '' },
  'status 403 and a page': { status: 403, type: 'text/html', body: '<h1>Forbidden</h1>' },
  'status 400 and a stack trace': {
    status: 400,
    type: 'text/plain',
    body: 'Error: no\n    at login (/srv/app.js:7:3)',
  },
  'nobody: null': { status: 200, type: 'application/json', body: '{"user":null}' },
  'nobody: an empty id': { status: 200, type: 'application/json', body: '{"user":{"id":""}}' },
  'nobody: id 0': { status: 200, type: 'application/json', body: '{"user":{"id":0}}' },
} satisfies Record<string, PartnerAnswer>;

const page = '<!doctype html><title>Sign in</title><h1>Welcome</h1>';
const deep = `${'{"user":'.repeat(10_000)}1${'}'.repeat(10_000)}`;

/** Answers that are none. */
export const RUBBISH = {
  'a page with status 200': { status: 200, type: 'text/html', body: page },
  nothing: { status: 200, body: '' },
  'status 204': { status: 204, body: '' },
  'a byte order mark': { status: 200, body: '\ufeff{"user":{"id":1}}' },
  'invalid UTF-8': { status: 200, body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) },
  'text alone': { status: 200, body: '"user"' },
  'a number alone': { status: 200, body: '7' },
  null: { status: 200, body: 'null' },
  'deep nesting': { status: 200, body: deep },
  'an id that is there twice': { status: 200, body: '{"user":{"id":1,"id":2}}' },
  'half an object': { status: 200, body: '{"user":{"id":1}' },
  'a bomb': {
    status: 200,
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(Buffer.alloc(50 * 1024 * 1024, ' ')),
  },
  'status 500': { status: 500, type: 'text/html', body: page },
  'status 503': { status: 503, body: '' },
  'status 429': { status: 429, body: '{"error":"slow down"}' },
} satisfies Record<string, PartnerAnswer>;

/**
 * A partner's own user service, as the vendors' starter kits have it: it takes a token (as a bearer, a query parameter, a
 * form field or a JSON member) or a login and a password, and answers with the user in the shape that the path names:
 * `/nested`, `/flat`, `/list`.
 */
export class PartnerDouble {
  readonly calls: PartnerCall[] = [];
  private readonly users = new Map<string, PartnerUser>();
  private readonly tokens = new Map<string, PartnerUser | PartnerAnswer>();
  private readonly sockets = new Set<Socket>();
  private mood: PartnerAnswer | 'well' | 'stalling' | 'endless' = 'well';
  private server: Server | null = null;
  private port = 0;

  static async start(): Promise<PartnerDouble> {
    const double = new PartnerDouble();
    await double.listen();
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get lastCall(): PartnerCall {
    return this.calls.at(-1)!;
  }

  /** The same person for the same name. */
  user(name: string, id: number | string = 1000 + this.users.size): PartnerUser {
    const known = this.users.get(name);
    if (known) return known;
    const user: PartnerUser = {
      id,
      login: name,
      full_name: `${name} of the partner`,
      email: `${name}@partner.example`,
      password: `the password of ${name}`,
    };
    this.users.set(name, user);
    return user;
  }

  /** A fresh token of a person. */
  tokenOf(name: string): string {
    return this.tokenFor(this.user(name));
  }

  /** A token that is answered like this. */
  tokenFor(outcome: PartnerUser | PartnerAnswer): string {
    const token = `partner-${randomBytes(18).toString('base64url')}`;
    this.tokens.set(token, outcome);
    return token;
  }

  /** From now on everybody is answered this, until `comeBack`. */
  answer(answer: PartnerAnswer): void {
    this.mood = answer;
  }

  /** From now on nothing is answered. */
  stall(): void {
    this.mood = 'stalling';
  }

  /** From now on answers begin and have no end. */
  neverEnd(): void {
    this.mood = 'endless';
  }

  async goDown(): Promise<void> {
    const { server } = this;
    this.server = null;
    for (const socket of this.sockets) socket.destroy();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async comeBack(): Promise<void> {
    this.mood = 'well';
    if (!this.server) await this.listen();
  }

  private async listen(): Promise<void> {
    const server = createServer((request, response) => void this.take(request, response));
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const call = { method: request.method!, target: request.url!, headers: request.headers, body };
    this.calls.push(call);
    if (this.mood === 'stalling') return;
    if (this.mood === 'endless') return pour(response);
    const {
      status,
      type,
      headers,
      body: text,
    }: PartnerAnswer = this.mood === 'well' ? this.answerTo(call) : this.mood;
    response.writeHead(status, { ...(type && { 'content-type': type }), ...headers });
    response.end(status === 204 ? undefined : text);
  }

  private answerTo(call: PartnerCall): PartnerAnswer {
    const url = new URL(call.target, this.url);
    const given = fieldsOf(call, url);
    const bearer = /^Bearer (.+)$/.exec(call.headers.authorization ?? '')?.[1];
    const token = bearer ?? given['token'];
    const found = token === undefined ? this.byPassword(given) : this.tokens.get(token);
    if (!found) return json(401, { error: `no such user: ${token ?? given['login'] ?? ''}` });
    if ('status' in found) return found;
    const { password: _, ...user } = found;
    switch (url.pathname.split('/')[1]) {
      case 'flat':
        return json(200, user);
      case 'list':
        return json(200, { users: [user] });
      default:
        return json(200, { user });
    }
  }

  private byPassword({ login, password }: Readonly<Record<string, string>>): PartnerUser | undefined {
    return [...this.users.values()].find((user) => user.login === login && user.password === password);
  }
}

function fieldsOf({ headers, body }: PartnerCall, url: URL): Record<string, string> {
  const inQuery = Object.fromEntries(url.searchParams);
  if (headers['content-type'] !== 'application/json') {
    return { ...inQuery, ...Object.fromEntries(new URLSearchParams(body)) };
  }
  return { ...inQuery, ...(JSON.parse(body) as Record<string, string>) };
}

function json(status: number, document: object): PartnerAnswer {
  return { status, type: 'application/json', body: JSON.stringify(document) };
}

/** As much as the other side takes. */
function pour(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = `{"user":"${'x'.repeat(16 * 1024)}`;
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
}
