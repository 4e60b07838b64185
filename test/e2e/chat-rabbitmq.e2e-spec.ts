import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChatClients } from '../support/chat/chat-clients.js';
import { ChatStage } from '../support/chat/chat-stage.js';
import { itDropsWhatEndedSessionsOpened } from '../support/chat/drop-scenarios.js';
import { CHAT_DOMAIN } from '../support/chat/example.js';
import { itLetsInOnlyWhoMay } from '../support/chat/login-scenarios.js';
import { RabbitMq } from '../support/chat/rabbitmq.js';
import { describeWithServer } from '../support/chat/with-server.js';

const ACCESS_REFUSED = expect.stringContaining('ACCESS_REFUSED');

describeWithServer('rabbitmq-server', 'RabbitMQ that lets users in with their session token', () => {
  let stage: ChatStage;
  let rabbitmq: RabbitMq;
  let clients: ChatClients;

  beforeAll(async () => {
    stage = await ChatStage.start();
    clients = ChatClients.start(stage.authority);
    rabbitmq = await RabbitMq.start(stage.options);
  }, 90_000);
  afterAll(async () => {
    await clients?.stop();
    await rabbitmq?.stop();
    await stage?.stop();
  });

  const amqp = (username: string, password: string) =>
    ({ kind: 'amqp', hostname: CHAT_DOMAIN, port: rabbitmq.ports.amqp, username, password }) as const;
  const mqtt = (username: string, password: string) =>
    ({ kind: 'mqtt', url: rabbitmq.mqttUrl, username, password, protocolVersion: 4 }) as const;
  /** The first words of what the server says, up to where the libraries add theirs. */
  const outcome = async (name: string, password: string) => {
    const word = await clients.outcome(amqp(name, password));
    return word.includes('ACCESS_REFUSED') ? 'ACCESS_REFUSED' : word;
  };

  describe('by AMQP', () => {
    itLetsInOnlyWhoMay({ stage: () => stage, login: outcome, refused: 'ACCESS_REFUSED' });
  });

  describe.each([
    ['AMQP', amqp],
    ['MQTT', mqtt],
  ] as const)('when sessions end that came by %s', (_, login) => {
    itDropsWhatEndedSessionsOpened({
      stage: () => stage,
      administrationUrl: () => rabbitmq.kickUrl,
      administration: (url) => ({ kind: 'rabbitmq', url, ...RabbitMq.KICK }),
      open: ({ name, token }) => clients.open(login(name, token)),
      knowsSessions: false,
    });
  });

  describe('when sessions end, and only some virtual hosts are the broker’s', () => {
    itDropsWhatEndedSessionsOpened({
      stage: () => stage,
      administrationUrl: () => rabbitmq.kickUrl,
      administration: (url) => ({ kind: 'rabbitmq', url, ...RabbitMq.KICK, vhosts: ['/'] }),
      open: ({ name, token }) => clients.open(amqp(name, token)),
      knowsSessions: false,
    });
  });

  it('lets in by MQTT who may come in, and nobody else', async () => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    expect(await clients.outcome(mqtt(ada.name, ada.token))).toBe('in');
    expect(await clients.outcome(mqtt(ada.name, bob.token))).toBe('code 4');
    expect(await clients.outcome(mqtt(ada.name, 'x'))).toBe('code 4');
    expect((await stage.app.api.send('DELETE', '/v1/session', { as: ada.token })).status).toBe(204);
    expect(await clients.outcome(mqtt(ada.name, ada.token))).toBe('code 4');
  });

  it('lets nobody in under a name with a domain, by which the connection could not be found again', async () => {
    const ada = await stage.user();
    for (const name of [`${ada.name}@${CHAT_DOMAIN}`, `${ada.name}@elsewhere.example`, `${ada.name}@`]) {
      expect(await clients.outcome(amqp(name, ada.token))).toEqual(ACCESS_REFUSED);
      expect(await clients.outcome(mqtt(name, ada.token))).toBe('code 4');
    }
  });

  it('knows no account of its own but the broker’s, which reads and writes nothing', async () => {
    expect(await clients.outcome(amqp('guest', 'guest'))).toEqual(ACCESS_REFUSED);
    const { user, password } = RabbitMq.KICK;
    expect(await clients.outcome(amqp(user, 'wrong'))).toEqual(ACCESS_REFUSED);
    const broker = await clients.open(amqp(user, password));
    await expect(broker.subscribe('#')).rejects.toThrow('403');
  });

  it('carries messages from AMQP to MQTT and back', async () => {
    const [ada, bob] = [await stage.user(), await stage.user()];
    const first = await clients.open(amqp(ada.name, ada.token));
    const second = await clients.open(mqtt(bob.name, bob.token));
    await first.subscribe(`${stage.application.id}.room.amqp`);
    await second.subscribe(`${stage.application.id}/room/mqtt`);
    await first.send(`${stage.application.id}.room.mqtt`, 'Hello Bob');
    expect((await second.next()).body).toBe('Hello Bob');
    await second.send(`${stage.application.id}/room/amqp`, 'Hello Ada');
    expect((await first.next()).body).toBe('Hello Ada');
    await first.close();
    await second.close();
  });
});
