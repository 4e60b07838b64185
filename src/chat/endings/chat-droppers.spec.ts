import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AdministrationDouble } from '../../../test/support/chat/administration-double.js';
import { ManualClock } from '../../../test/support/manual-clock.js';
import { OutboundClient } from '../../outbound/outbound-client.js';
import { DeliveryError } from '../../outbox/outbox-topic.js';
import { AdministrationCall } from './administration-call.js';
import { parseAdministration } from './administration.js';
import type { ChatDrop } from './chat-drop.js';
import { ChatDroppers } from './chat-droppers.js';
import { EjabberdDropper } from './ejabberd.dropper.js';
import { ProsodyDropper } from './prosody.dropper.js';
import { RabbitmqDropper } from './rabbitmq.dropper.js';
import { WebhookDropper } from './webhook.dropper.js';

const KEY = Buffer.alloc(32, 7);

const aDrop = (facts: Partial<ChatDrop> = {}): ChatDrop => ({
  chat_client_id: 1,
  application_id: 7,
  user_id: 42,
  user_name: '42-7',
  domain: 'chat.local',
  session_ids: [100, 101],
  with_password: false,
  whole_user: false,
  reason: 'ended',
  ...facts,
});

describe(ChatDroppers.name, () => {
  const clock = new ManualClock();
  let outbound: OutboundClient;
  let droppers: ChatDroppers;
  let double: AdministrationDouble;

  const clientThat = (allow: readonly string[]) =>
    new OutboundClient({
      allow,
      connectMilliseconds: 2000,
      totalMilliseconds: 5000,
      maxResponseBytes: 100_000,
      connectionsPerOrigin: 8,
    });
  const droppersWith = (client: OutboundClient) => {
    const call = new AdministrationCall(client);
    return new ChatDroppers(
      new EjabberdDropper(call),
      new ProsodyDropper(call),
      new RabbitmqDropper(call),
      new WebhookDropper(call, clock),
    );
  };

  beforeEach(async () => {
    outbound = clientThat(['127.0.0.1']);
    droppers = droppersWith(outbound);
    double = await AdministrationDouble.start();
  });
  afterEach(async () => {
    await outbound.close();
    await double.close();
  });

  const drop = (
    administration: object,
    facts: Partial<ChatDrop> = {},
    signal: AbortSignal = new AbortController().signal,
  ) =>
    droppers.drop(parseAdministration({ url: double.url, ...administration }), aDrop(facts), {
      signal,
      id: 'msg_1_9',
      orderedAt: clock.now(),
    });
  const failure = async (dropping: Promise<void>): Promise<[string, boolean]> => {
    const error: unknown = await dropping.then(
      () => new Error('it was done'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DeliveryError);
    return [(error as DeliveryError).word, (error as DeliveryError).isTargetAtFault];
  };

  describe('at ejabberd', () => {
    it('disconnects every resource of the user at the host that was asked about', async () => {
      await drop({ kind: 'ejabberd', bearer: 'a-token', host: 'other.local' });
      expect(double.calls).toMatchObject([
        {
          method: 'POST',
          path: '/api/kick_user',
          headers: { authorization: 'Bearer a-token' },
          body: { user: '42-7', host: 'chat.local' },
        },
      ]);
    });

    it('takes the host of the administration where none was named, below the path of the URL', async () => {
      const url = `${double.url}/ejabberd/`;
      await drop(
        { kind: 'ejabberd', url, basic: { user: 'admin', password: 'pw' }, host: 'Other.local' },
        { domain: null },
      );
      expect(double.calls).toMatchObject([
        {
          path: '/ejabberd/api/kick_user',
          headers: { authorization: `Basic ${Buffer.from('admin:pw').toString('base64')}` },
          body: { host: 'other.local' },
        },
      ]);
    });

    it('goes without credentials where it lets addresses in', async () => {
      await drop({ kind: 'ejabberd' });
      expect(double.calls[0]!.headers.authorization).toBeUndefined();
    });

    it('fails where nobody said which host', async () => {
      expect(await failure(drop({ kind: 'ejabberd' }, { domain: null }))).toEqual(['no_host', false]);
    });
  });

  describe('at Prosody', () => {
    const prosody = { kind: 'prosody', secret: 'a-secret' };

    it('ends the connections of these sessions at the virtual host', async () => {
      await drop(prosody);
      expect(double.calls).toMatchObject([
        {
          method: 'POST',
          path: '/session-broker/kick',
          headers: { host: 'chat.local', authorization: 'Bearer a-secret' },
          body: { username: '42-7', session_ids: [100, 101] },
        },
      ]);
    });

    it('names what the password opened as session 0, and all of the user as no session', async () => {
      await drop(prosody, { with_password: true });
      await drop(prosody, { whole_user: true });
      expect(double.calls.map(({ body }) => body)).toEqual([
        { username: '42-7', session_ids: [0, 100, 101] },
        { username: '42-7' },
      ]);
    });

    it('takes 404 for what it is: the virtual host is not there', async () => {
      double.answers(() => ({ status: 404 }));
      expect(await failure(drop(prosody))).toEqual(['http_404', true]);
    });
  });

  describe('at RabbitMQ', () => {
    const rabbitmq = { kind: 'rabbitmq', user: 'ostiary', password: 'pw' };
    const notFound = { status: 404, body: { error: 'Object Not Found', reason: 'Not Found' } };

    it('closes every connection of the user, by the one name that opens any', async () => {
      double.answers(() => ({ status: 204 }));
      await drop(rabbitmq);
      expect(double.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'DELETE /api/connections/username/42-7',
      ]);
      expect(double.calls[0]!.headers).toMatchObject({
        authorization: `Basic ${Buffer.from('ostiary:pw').toString('base64')}`,
        'x-reason': 'The session has ended',
      });
    });

    it('closes those within the virtual hosts alone, where these are named', async () => {
      double.answers(({ method }) =>
        method === 'GET'
          ? {
              status: 200,
              body: [
                { name: '127.0.0.1:5000 -> 127.0.0.1:5672', vhost: 'chat' },
                { name: '127.0.0.1:5001 -> 127.0.0.1:5672', vhost: '/' },
              ],
            }
          : { status: 204 },
      );
      await drop({ ...rabbitmq, vhosts: ['chat'] }, { domain: null });
      expect(double.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /api/connections/username/42-7',
        'DELETE /api/connections/127.0.0.1%3A5000%20-%3E%20127.0.0.1%3A5672',
      ]);
    });

    it('closes all at once where all are within the virtual hosts: RabbitMQ finds no single one that is young', async () => {
      const body = [{ name: '127.0.0.1:5000 -> 127.0.0.1:5672', vhost: 'chat' }];
      double.answers(({ method }) => (method === 'GET' ? { status: 200, body } : { status: 204 }));
      await drop({ ...rabbitmq, vhosts: ['chat'] }, { domain: null });
      expect(double.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
        'GET /api/connections/username/42-7',
        'DELETE /api/connections/username/42-7',
      ]);
    });

    it('is not done where a connection that was listed is not found yet', async () => {
      const body = [
        { name: '127.0.0.1:5000 -> 127.0.0.1:5672', vhost: 'chat' },
        { name: '127.0.0.1:5001 -> 127.0.0.1:5672', vhost: '/' },
      ];
      double.answers(({ method }) => (method === 'GET' ? { status: 200, body } : notFound));
      expect(await failure(drop({ ...rabbitmq, vhosts: ['chat'] }, { domain: null }))).toEqual([
        'connection_not_found',
        false,
      ]);
    });

    it('is done where there is no such connection any more', async () => {
      double.answers(() => notFound);
      await drop(rabbitmq, { domain: null });
      await drop({ ...rabbitmq, vhosts: ['chat'] }, { domain: null });
      expect(double.calls).toHaveLength(2);
    });

    it("is not done by a 404 that is not RabbitMQ's", async () => {
      double.answers(() => ({ status: 404, body: { message: 'no such page' } }));
      expect(await failure(drop(rabbitmq))).toEqual(['http_404', true]);
    });

    it('is not done by a list that is none', async () => {
      double.answers(() => ({ status: 200, body: { items: [] } }));
      expect(await failure(drop({ ...rabbitmq, vhosts: ['chat'] }))).toEqual(['unexpected_answer', true]);
    });
  });

  describe('by webhook', () => {
    const webhook = { kind: 'webhook', secret: `whsec_${KEY.toString('base64')}` };

    it('tells of each session by itself, signed, and with an id that stays the same', async () => {
      await drop(webhook, { with_password: true });
      await drop(webhook, { with_password: true });
      expect(double.calls.slice(0, 3).map(({ body }) => body)).toEqual(
        [100, 101, null].map((session_id) => ({
          type: 'session.ended',
          timestamp: new Date(clock.now()).toISOString(),
          data: { application_id: 7, user_id: 42, username: '42-7', session_id, reason: 'ended' },
        })),
      );
      const ids = double.calls.map(({ headers }) => headers['webhook-id']);
      expect(ids.slice(0, 3)).toEqual(['msg_1_9.100', 'msg_1_9.101', 'msg_1_9.password']);
      expect(ids.slice(3)).toEqual(ids.slice(0, 3));
      for (const { headers, text } of double.calls) {
        const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${text}`;
        const mac = createHmac('sha256', KEY).update(signed).digest('base64');
        expect(headers['webhook-signature']).toBe(`v1,${mac}`);
        expect(headers['webhook-timestamp']).toBe(String(clock.now() / 1000));
      }
    });

    it('is done where the receiver wants no more of it', async () => {
      double.answers(() => ({ status: 410 }));
      await drop(webhook);
    });

    it('is tried again where nobody is there to take it', async () => {
      double.answers(() => ({ status: 404 }));
      expect(await failure(drop(webhook))).toEqual(['http_404', true]);
    });
  });

  describe.each([
    { kind: 'ejabberd' },
    { kind: 'prosody', secret: 'a-secret' },
    { kind: 'rabbitmq', user: 'ostiary', password: 'pw' },
    { kind: 'webhook', secret: `whsec_${KEY.toString('base64')}` },
  ])('at $kind', (administration) => {
    it.each<[string, number, boolean]>([
      ['is refused', 401, true],
      ['may not', 403, true],
      ['is not understood', 400, false],
      ['is one too many', 429, true],
      ['finds it broken', 500, true],
      ['finds it busy', 503, true],
      ['is sent elsewhere', 302, false],
    ])('is tried again where it %s', async (_what, status, isServerAtFault) => {
      double.answers(() => ({ status, body: { error: 'a text of theirs' } }));
      expect(await failure(drop(administration))).toEqual([`http_${status}`, isServerAtFault]);
    });

    it('is tried again where there is no answer', async () => {
      double.answers(() => 'hang up');
      expect(await failure(drop(administration))).toEqual(['no_answer', true]);
    });

    it('is tried again where nobody is there', async () => {
      await double.goDown();
      expect(await failure(drop(administration))).toEqual(['no_connection', true]);
    });

    it('is called off with its signal', async () => {
      double.answers(() => 'hang');
      const deadline = new AbortController();
      const dropping = failure(drop(administration, {}, deadline.signal));
      await double.seen(1);
      deadline.abort();
      expect(await dropping).toEqual(['no_answer', true]);
    });

    it('is not sent to an address that nobody has allowed', async () => {
      const strict = clientThat([]);
      droppers = droppersWith(strict);
      expect(await failure(drop(administration))).toEqual(['address_refused', true]);
      expect(double.calls).toEqual([]);
      await strict.close();
    });
  });
});
