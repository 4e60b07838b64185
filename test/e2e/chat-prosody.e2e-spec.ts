import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatClients, type ChatConnection } from '../support/chat/chat-clients.js';
import { ChatStage, type ChatUser } from '../support/chat/chat-stage.js';
import { CHAT_DOMAIN } from '../support/chat/example.js';
import { itDropsWhatEndedSessionsOpened } from '../support/chat/drop-scenarios.js';
import { itLetsInOnlyWhoMay } from '../support/chat/login-scenarios.js';
import { Prosody, XMPP_TRANSPORTS, type XmppTransport } from '../support/chat/prosody.js';
import { describeWithServer } from '../support/chat/with-server.js';
import type { Begun } from '../support/api-client.js';
import { SamplePartner } from '../support/sample-partner.js';

describeWithServer('prosody', 'Prosody that lets users in with their session token', () => {
  let stage: ChatStage;
  let prosody: Prosody;
  let clients: ChatClients;

  beforeAll(async () => {
    stage = await ChatStage.start();
    clients = ChatClients.start(stage.authority);
    prosody = await Prosody.start(stage.options);
  }, 90_000);
  afterAll(async () => {
    await clients?.stop();
    await prosody?.stop();
    await stage?.stop();
  });

  const xmpp = (username: string, password: string, transport: XmppTransport) =>
    ({ kind: 'xmpp', service: prosody.service(transport), domain: CHAT_DOMAIN, username, password }) as const;
  const outcome = (name: string, password: string, transport: XmppTransport = 'tls') =>
    clients.outcome(xmpp(name, password, transport));
  const open = ({ name, token }: ChatUser, transport: XmppTransport = 'tls'): Promise<ChatConnection> =>
    clients.open(xmpp(name, token, transport));
  const address = ({ name }: ChatUser) => `${name}@${CHAT_DOMAIN}`;

  describe('by TLS', () => {
    itLetsInOnlyWhoMay({ stage: () => stage, login: outcome, refused: 'not-authorized' });
  });

  it.each(XMPP_TRANSPORTS)('lets in by %s who may come in, and nobody else', async (transport) => {
    const ada = await stage.user();
    const bob = await stage.user();
    expect(await outcome(ada.name, ada.token, transport)).toBe('in');
    expect(await outcome(ada.name, bob.token, transport)).toBe('not-authorized');
    expect(await outcome(ada.name, 'x', transport)).toBe('not-authorized');
  });

  it('judges forty logins at once each by itself', async () => {
    const users = [await stage.user(), await stage.user()];
    const tries = Array.from({ length: 40 }, (_, i) => {
      const mine = users[i % 2]!;
      const isRight = i % 4 < 2;
      return { name: mine.name, token: (isRight ? mine : users[(i + 1) % 2]!).token, isRight };
    });
    const outcomes = await Promise.all(tries.map(({ name, token }) => outcome(name, token)));
    expect(outcomes).toEqual(tries.map(({ isRight }) => (isRight ? 'in' : 'not-authorized')));
  });

  it('carries messages between two users, whichever way each of them came', async () => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    const [first, second] = [await open(ada, 'websocket'), await open(bob, 'starttls')];
    await first.send(address(bob), 'Hello Bob');
    expect(await second.next()).toEqual({ from: expect.stringContaining(address(ada)), body: 'Hello Bob' });
    await second.send(address(ada), 'Hello Ada');
    expect(await first.next()).toEqual({ from: expect.stringContaining(address(bob)), body: 'Hello Ada' });
    await first.close();
    await second.close();
  });

  it('keeps a message for a user who is away', async () => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    const first = await open(ada);
    await first.send(address(bob), 'for later');
    await first.close();
    const second = await open(bob);
    expect((await second.next()).body).toBe('for later');
    await second.close();
  });

  describe('when sessions end', () => {
    itDropsWhatEndedSessionsOpened({
      stage: () => stage,
      administrationUrl: () => prosody.kickUrl,
      administration: (url) => ({ kind: 'prosody', url, secret: Prosody.KICK_SECRET }),
      open,
      knowsSessions: true,
    });
  });

  describe('ending connections', () => {
    const kick = async (body: unknown, { secret = Prosody.KICK_SECRET, url = prosody.kickUrl } = {}) => {
      const response = await fetch(`${url}/session-broker/kick`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}` },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      return { status: response.status, ...(response.ok && ((await response.json()) as object)) };
    };
    const sessionId = async ({ token }: { readonly token: string }) =>
      (await stage.app.api.get<Begun>('/v1/session', token)).body.session.id;

    it('ends those that were opened with the session, and no others', async () => {
      const ada = await stage.user();
      const adaElsewhere = await stage.again(ada);
      const bob = await stage.user();
      const [ending, tooEnding] = [await open(ada, 'starttls'), await open(ada, 'websocket')];
      const [staying, stranger] = [await open(adaElsewhere), await open(bob)];
      const order = { username: ada.name, session_ids: [await sessionId(ada), 1_000_000] };
      expect(await kick(order)).toEqual({ status: 200, closed: 2 });
      expect(await ending.end()).toBe('not-authorized');
      expect(await tooEnding.end()).toBe('not-authorized');
      expect(await kick(order)).toEqual({ status: 200, closed: 0 });
      await staying.send(address(bob), 'still here');
      expect((await stranger.next()).body).toBe('still here');
      expect(await kick({ username: ada.name, session_ids: [0] })).toEqual({ status: 200, closed: 0 });
      expect(await kick({ username: ada.name.toUpperCase() })).toEqual({ status: 200, closed: 1 });
      expect(await staying.end()).toBe('not-authorized');
      expect(stranger.ended).toBeNull();
      await stranger.close();
    });

    it('ends a stream that was resumed with the session that resumed it', async () => {
      const ada = await stage.user();
      const renewed = await stage.again(ada);
      const { password: _, ...login } = xmpp(ada.name, '', 'starttls');
      const connection = await clients.open({ ...login, passwords: [ada.token, renewed.token] });
      await connection.cut();
      expect(await connection.next()).toEqual({ from: CHAT_DOMAIN, body: 'resumed' });
      const kickWith = async (user: ChatUser) =>
        kick({ username: ada.name, session_ids: [await sessionId(user)] });
      expect(await kickWith(ada)).toEqual({ status: 200, closed: 0 });
      expect(await kickWith(renewed)).toEqual({ status: 200, closed: 1 });
      expect(await connection.end()).toBe('not-authorized');
    });

    it('takes orders from nobody but the broker', async () => {
      const ada = await stage.user();
      const connection = await open(ada);
      for (const secret of [
        '',
        'wrong',
        Prosody.KICK_SECRET.slice(1),
        `${Prosody.KICK_SECRET}x`,
        stage.secret,
      ]) {
        const { status } = await kick({ username: ada.name }, { secret });
        expect({ secret, status }).toEqual({ secret, status: 401 });
      }
      expect(connection.ended).toBeNull();
      await connection.close();
    });

    it.each([
      ['nothing', ''],
      ['no JSON', 'username=1-1'],
      ['no object', '[]'],
      ['no name', {}],
      ['a name of another type', { username: 17 }],
      ['an empty name', { username: '' }],
      ['sessions that are no list', { username: '1-1', session_ids: { '4': true } }],
      ['sessions that are no numbers', { username: '1-1', session_ids: ['4'] }],
    ])('answers 400 to an order with %s', async (_, body) => {
      expect(await kick(body)).toEqual({ status: 400 });
    });
  });

  it('carries messages between two users of the unmodified ConnectyCube SDK, one signed in by a partner', async () => {
    const partner = await SamplePartner.start();
    const other = ChatClients.start(stage.authority);
    try {
      const owner = await stage.app.createAdminKey('owner');
      const path = `/admin/v1/applications/${stage.application.id}/providers`;
      const options = {
        url: `${partner.url}/verify`,
        params: { token: '#{token}' },
        mapping: { uid: '#{user.id}' },
      };
      const added = await stage.app.api.send('POST', path, {
        as: owner,
        body: { kind: 'http', slug: 'partner', options },
      });
      expect({ status: added.status, text: added.text }).toMatchObject({ status: 201 });
      const begun = await stage.app.api.send<Begun>('POST', '/v1/sessions', {
        as: stage.application,
        body: { provider: 'partner', credential: { token: 'ada-token-1815' } },
      });
      expect({ status: begun.status, text: begun.text }).toMatchObject({ status: 201 });
      const { user_id: ada, token } = begun.body.session;
      const bob = await stage.user();
      const sdk = (userId: number, password: string) =>
        ({
          kind: 'connectycube',
          service: prosody.service('websocket'),
          domain: CHAT_DOMAIN,
          userId,
          appId: stage.application.id,
          password,
        }) as const;

      expect(await clients.outcome(sdk(ada!, bob.token))).toBe('not-authorized');
      const first = await clients.open(sdk(ada!, token));
      const second = await other.open(sdk(bob.id, bob.token));
      await first.send(String(bob.id), 'Hello Bob');
      expect(await second.next()).toEqual({ from: String(ada), body: 'Hello Bob' });
      await second.send(String(ada), 'Hello Ada');
      expect(await first.next()).toEqual({ from: String(bob.id), body: 'Hello Ada' });
    } finally {
      await other.stop();
      await partner.stop();
    }
  });
});
