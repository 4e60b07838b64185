import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatClients, type ChatConnection } from '../support/chat/chat-clients.js';
import { ChatStage, type ChatUser } from '../support/chat/chat-stage.js';
import { Ejabberd } from '../support/chat/ejabberd.js';
import { itDropsWhatEndedSessionsOpened } from '../support/chat/drop-scenarios.js';
import { CHAT_DOMAIN } from '../support/chat/example.js';
import { itLetsInOnlyWhoMay } from '../support/chat/login-scenarios.js';
import { XMPP_TRANSPORTS, type XmppTransport } from '../support/chat/prosody.js';
import { describeWithServer } from '../support/chat/with-server.js';

/** As its comment says: takes X-OAUTH2 off the list of what is not offered, and the # away. */
const withTokenLookup = (config: string) =>
  config.replace('"X-OAUTH2", ', '').replace(/^#(oauth_|ext_api_)/gm, '$1');

describeWithServer('ejabberdctl', 'ejabberd that looks session tokens up', () => {
  let stage: ChatStage;
  let ejabberd: Ejabberd;
  let clients: ChatClients;

  beforeAll(async () => {
    stage = await ChatStage.start();
    // ejabberd goes by the time of day.
    stage.app.clock.advance({ milliseconds: Date.now() - stage.app.clock.now() });
    clients = ChatClients.start(stage.authority);
    ejabberd = await Ejabberd.start(stage.options, withTokenLookup);
  }, 90_000);
  afterAll(async () => {
    await clients?.stop();
    await ejabberd?.stop();
    await stage?.stop();
  });

  it('lets in by X-OAUTH2 who may come in, and nobody else', async () => {
    const service = ejabberd.service('tls');
    const outcome = (username: string, password: string) => {
      const mechanism = 'X-OAUTH2';
      return clients.outcome({ kind: 'xmpp', service, domain: CHAT_DOMAIN, username, password, mechanism });
    };
    const [ada, bob] = [await stage.user(), await stage.user()];
    const application = await stage.app.api.applicationSession(stage.application);
    expect(await outcome(ada.name, ada.token)).toBe('in');
    expect(await outcome(ada.name, bob.token)).toBe('not-authorized');
    expect(await outcome(ada.name, application.token)).toBe('not-authorized');
    expect(await outcome(ada.name, 'x')).toBe('not-authorized');
    await stage.broker.cause('status 503');
    expect(await outcome(bob.name, bob.token)).toBe('not-authorized');
    await stage.broker.mend();
    expect(await outcome(bob.name, bob.token)).toBe('in');
    expect((await stage.app.api.send('DELETE', '/v1/session', { as: ada.token })).status).toBe(204);
    expect(await outcome(ada.name, ada.token)).toBe('not-authorized');
  });
});

describeWithServer('ejabberdctl', 'ejabberd that lets users in with their session token', () => {
  let stage: ChatStage;
  let ejabberd: Ejabberd;
  let clients: ChatClients;

  beforeAll(async () => {
    stage = await ChatStage.start();
    clients = ChatClients.start(stage.authority);
    ejabberd = await Ejabberd.start(stage.options);
  }, 90_000);
  afterAll(async () => {
    await clients?.stop();
    await ejabberd?.stop();
    await stage?.stop();
  });

  const xmpp = (username: string, password: string, transport: XmppTransport) =>
    ({
      kind: 'xmpp',
      service: ejabberd.service(transport),
      domain: CHAT_DOMAIN,
      username,
      password,
    }) as const;
  const outcome = (name: string, password: string, transport: XmppTransport = 'tls') =>
    clients.outcome(xmpp(name, password, transport));
  const open = ({ name, token }: ChatUser, transport: XmppTransport = 'tls'): Promise<ChatConnection> =>
    clients.open(xmpp(name, token, transport));
  const mqtt = (name: string, password: string, protocolVersion: 4 | 5) =>
    ({
      kind: 'mqtt',
      url: ejabberd.mqttUrl,
      username: `${name}@${CHAT_DOMAIN}`,
      password,
      protocolVersion,
    }) as const;
  const address = ({ name }: ChatUser) => `${name}@${CHAT_DOMAIN}`;

  describe('by TLS', () => {
    itLetsInOnlyWhoMay({ stage: () => stage, login: outcome, refused: 'not-authorized' });
  });

  describe('when sessions end', () => {
    itDropsWhatEndedSessionsOpened({
      stage: () => stage,
      administrationUrl: () => ejabberd.kickUrl,
      administration: (url) => ({ kind: 'ejabberd', url }),
      open,
      knowsSessions: false,
    });
  });

  it.each(XMPP_TRANSPORTS)('lets in by %s who may come in, and nobody else', async (transport) => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    expect(await outcome(ada.name, ada.token, transport)).toBe('in');
    expect(await outcome(ada.name, bob.token, transport)).toBe('not-authorized');
    expect(await outcome(ada.name, 'x', transport)).toBe('not-authorized');
  });

  it.each([
    ['3.1.1', 4, 'code 5'],
    ['5', 5, 'code 135'],
  ] as const)('lets in by MQTT %s who may come in, and nobody else', async (_, version, refused) => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    expect(await clients.outcome(mqtt(ada.name, ada.token, version))).toBe('in');
    expect(await clients.outcome(mqtt(ada.name, bob.token, version))).toBe(refused);
    expect(await clients.outcome(mqtt(ada.name, 'x', version))).toBe(refused);
    expect((await stage.app.api.send('DELETE', '/v1/session', { as: ada.token })).status).toBe(204);
    expect(await clients.outcome(mqtt(ada.name, ada.token, version))).toBe(refused);
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

  it('keeps a message for a user who is away', async () => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    const first = await open(ada);
    await first.send(address(bob), 'for later');
    await first.close();
    const second = await open(bob);
    expect((await second.next()).body).toBe('for later');
    await second.close();
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
});
