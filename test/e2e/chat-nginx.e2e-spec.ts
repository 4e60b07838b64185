import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ChatStage } from '../support/chat/chat-stage.js';
import { itLetsInOnlyWhoMay } from '../support/chat/login-scenarios.js';
import { Nginx } from '../support/chat/nginx.js';
import { describeWithServer } from '../support/chat/with-server.js';

interface Seen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A chat server of somebody's own: it believes whatever stands in X-User-Id, and echoes what it gets on a WebSocket. */
class OwnChatServer {
  readonly seen: Seen[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', ({ url = '', headers }, response) => {
      this.seen.push({ url, headers });
      response.end(`hello ${String(headers['x-user-id'])}`);
    });
    server.on('upgrade', ({ url = '', headers }, socket: Socket) => {
      this.seen.push({ url, headers });
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
  }

  static async start(): Promise<OwnChatServer> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OwnChatServer(server);
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }
}

describeWithServer('nginx', 'nginx in front of a chat server, letting session tokens through', () => {
  let stage: ChatStage;
  let chat: OwnChatServer;
  let nginx: Nginx;

  beforeAll(async () => {
    stage = await ChatStage.start();
    chat = await OwnChatServer.start();
    nginx = await Nginx.start(stage.options, chat.host);
  });
  afterAll(async () => {
    await nginx?.stop();
    await chat?.stop();
    await stage?.stop();
  });
  beforeEach(() => void chat.seen.splice(0));

  const get = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const sent = request(`https://${nginx.host}${path}`, { headers, ca: stage.authority.certificate });
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const body = (await response.toArray()).join('');
    return { status: response.statusCode!, headers: response.headers, body };
  };
  /** Opens a WebSocket as far as the protocols are switched. @returns the status, and what comes back of what is sent. */
  const upgrade = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const sent = request(`https://${nginx.host}${path}`, {
      headers: { connection: 'Upgrade', upgrade: 'websocket', ...headers },
      ca: stage.authority.certificate,
    });
    sent.end();
    const [response, socket] = await Promise.race([
      once(sent, 'upgrade') as Promise<[IncomingMessage, Socket]>,
      once(sent, 'response').then(([refusal]) => [refusal as IncomingMessage] as const),
    ]);
    if (!socket) {
      response.resume();
      return { status: response.statusCode!, echo: '' };
    }
    socket.write('are you there?');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return { status: response.statusCode!, echo: echo.toString() };
  };
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  describe('by HTTP Basic', () => {
    itLetsInOnlyWhoMay({
      stage: () => stage,
      login: async (name, password) => {
        const before = chat.seen.length;
        const basic = Buffer.from(`${name}:${password}`).toString('base64');
        const { status } = await get('/chat', { authorization: `Basic ${basic}` });
        // Nothing behind it hears of whoever is refused.
        expect(chat.seen.length - before).toBe(status === 200 ? 1 : 0);
        return status === 200 ? 'in' : status === 401 ? 'refused' : 'undecided';
      },
      refused: 'refused',
      undecided: 'undecided',
    });
  });

  it('tells the chat server who it is, whatever the client says about that', async () => {
    const ada = await stage.user();
    const forged = { 'x-user-id': '999', 'x-app-id': '999', 'x-session-expires': '1', ...bearer(ada.token) };
    expect((await get('/chat/rooms?since=4', forged)).body).toBe(`hello ${ada.id}`);
    const [{ url, headers }] = chat.seen as [Seen];
    expect(url).toBe('/chat/rooms?since=4');
    expect(headers).toMatchObject({ 'x-user-id': String(ada.id), 'x-app-id': String(ada.applicationId) });
    expect(Number(headers['x-session-expires'])).toBeGreaterThan(1);
    expect(headers.authorization).toBeUndefined();
  });

  it.each([
    ['/chat?token=TOKEN', '/chat'],
    ['/chat?a=1&token=TOKEN', '/chat?a=1&'],
    ['/chat?token=TOKEN&b=2', '/chat?b=2'],
    ['/chat?a=1&token=TOKEN&b=2', '/chat?a=1&b=2'],
  ])(
    'takes the token from the query, and keeps it from the chat server and the logs: %s',
    async (path, url) => {
      const ada = await stage.user();
      expect((await get(path.replace('TOKEN', ada.token))).body).toBe(`hello ${ada.id}`);
      expect(chat.seen.map((seen) => seen.url.replace(/\?$/, ''))).toEqual([url]);
      expect(nginx.log).not.toContain(ada.token);
    },
  );

  it('switches protocols for who may come in, and for nobody else', async () => {
    const ada = await stage.user();
    const open = { status: 101, echo: 'are you there?' };
    expect(await upgrade(`/chat?token=${ada.token}`)).toEqual(open);
    expect(await upgrade('/chat', bearer(ada.token))).toEqual(open);
    expect(chat.seen.map(({ headers }) => headers['x-user-id'])).toEqual([String(ada.id), String(ada.id)]);
    expect((await upgrade('/chat?token=x')).status).toBe(401);
    expect((await upgrade('/chat')).status).toBe(401);
    const { token } = await stage.app.api.applicationSession(stage.application);
    expect((await upgrade(`/chat?token=${token}`)).status).toBe(401);
    expect((await stage.app.api.send('DELETE', '/v1/session', { as: ada.token })).status).toBe(204);
    expect((await upgrade(`/chat?token=${ada.token}`)).status).toBe(401);
    expect(chat.seen).toHaveLength(2);
  });

  it('asks for a token where there is none, and has nothing outside of the chat', async () => {
    const { status, headers } = await get('/chat');
    expect({ status, challenge: headers['www-authenticate'] }).toEqual({
      status: 401,
      challenge: expect.stringMatching(/^Bearer/),
    });
    for (const path of ['/', '/_session', '/other']) expect((await get(path)).status).toBe(404);
  });
});
