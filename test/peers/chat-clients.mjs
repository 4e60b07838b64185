// Chat clients as apps use them, unmodified, in a process of their own: whom they trust is read when a process starts
// (NODE_EXTRA_CA_CERTS). Orders come in and answers go out over the channel to the parent; test/support/chat/chat-clients.ts is the other end.
import { randomUUID } from 'node:crypto';

const connections = new Map();
let last = 0;

const tell = (message) => process.connected && process.send(message);

/** ejabberd's SASL mechanism: the message is that of PLAIN (RFC 4616), with a token for the password. */
class OAuth2 {
  name = 'X-OAUTH2';
  clientFirst = true;
  response({ username, password }) {
    return `\0${username}\0${password}`;
  }
}

/** Opens a connection with what the kind needs. Resolves to what can be done with it; rejects when it is refused. */
const kinds = {
  /** service: xmpp://…, xmpps://… or wss://… @param passwords one for each time it connects; then it comes back by itself. */
  async xmpp({ service, domain, username, password, passwords, mechanism = 'PLAIN' }, { heard, gone }) {
    globalThis.WebSocket ??= (await import('ws')).default;
    const { client, xml } = await import('@xmpp/client');
    const credentials = (authenticate) =>
      authenticate({ username, password: passwords ? passwords.shift() : password }, mechanism);
    const isOwn = passwords || mechanism !== 'PLAIN';
    const entity = client({
      ...{ service, domain, resource: randomUUID() },
      ...(isOwn ? { credentials } : { username, password }),
    });
    if (mechanism === 'X-OAUTH2') entity.saslFactory.use(mechanism, OAuth2);
    if (passwords) entity.reconnect.delay = 1;
    else entity.reconnect.stop();
    entity.streamManagement.on('resumed', () => heard({ from: domain, body: 'resumed' }));
    // It misses a stream that opens while it still writes, and would give up on a login that takes longer than this.
    entity.timeout = 20_000;
    let word;
    // The first is the server's word, further ones are of the connection that it ends.
    entity.on('error', (error) => (word ??= error.condition ?? error.code ?? error.message));
    entity.on('disconnect', () => passwords?.length || gone(word ?? 'closed'));
    entity.on('stanza', (stanza) => {
      const body = stanza.is('message') && stanza.getChildText('body');
      if (body) heard({ from: stanza.attrs.from, body });
    });
    try {
      await entity.start();
    } catch (error) {
      entity.stop().catch(() => undefined);
      throw error;
    }
    await entity.send(xml('presence'));
    return {
      send: (to, body) => entity.send(xml('message', { type: 'chat', to }, xml('body', {}, body))),
      close: () => entity.stop(),
      // As when the network goes, once the server has said by which name the stream can be resumed.
      async cut() {
        while (!entity.streamManagement.id) await new Promise((resolve) => setTimeout(resolve, 5));
        entity.socket.socket.destroy();
      },
    };
  },

  async connectycube({ service, domain, userId, appId, password }, { heard, gone }) {
    const { default: ConnectyCube } = await import('connectycube');
    ConnectyCube.init(
      { appId, authKey: 'not used' },
      {
        endpoints: { api: 'localhost', api_url: 'http://localhost', chat: domain, chat_url: service },
        chat: { reconnect: { enable: false, timeInterval: 5 }, streamManagement: { enable: true } },
      },
    );
    await ConnectyCube.chat.connect({ userId, password });
    ConnectyCube.chat.onMessageListener = (from, message) =>
      heard({ from: String(from), body: message.body });
    ConnectyCube.chat.onDisconnectedListener = () => gone('closed');
    return {
      send: (to, body) => ConnectyCube.chat.send(Number(to), { type: 'chat', body }),
      close: () => ConnectyCube.chat.disconnect(),
    };
  },

  async amqp({ hostname, port, username, password, vhost = '/' }, { heard, gone }) {
    const { connect } = await import('amqplib');
    const connection = await connect({ protocol: 'amqps', hostname, port, username, password, vhost });
    let word = 'closed';
    connection.on('error', (error) => (word = error.message));
    connection.on('close', () => gone(word));
    const channel = await connection.createChannel();
    channel.on('error', (error) => (word = error.message));
    return {
      subscribe: async (topic) => {
        const { queue } = await channel.assertQueue('', { exclusive: true });
        await channel.bindQueue(queue, 'amq.topic', topic);
        await channel.consume(
          queue,
          ({ fields, content }) => heard({ from: fields.routingKey, body: String(content) }),
          {
            noAck: true,
          },
        );
      },
      send: (topic, body) => channel.publish('amq.topic', topic, Buffer.from(body)),
      close: () => connection.close(),
    };
  },

  async mqtt({ url, username, password, protocolVersion }, { heard, gone }) {
    const { default: mqtt } = await import('mqtt');
    const options = { username, password, protocolVersion, reconnectPeriod: 0, connectTimeout: 20_000 };
    // Resolves or rejects once, without the library's own tries to come back.
    const client = mqtt.connect(url, { ...options, clientId: randomUUID() });
    await new Promise((resolve, reject) => {
      client.once('connect', resolve);
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed')));
    }).catch((error) => {
      client.end(true);
      throw error;
    });
    client.on('error', () => undefined);
    client.on('close', () => gone('closed'));
    client.on('message', (topic, body) => heard({ from: topic, body: String(body) }));
    return {
      subscribe: (topic) => client.subscribeAsync(topic, { qos: 1 }),
      send: (topic, body) => client.publishAsync(topic, body, { qos: 1 }),
      close: () => client.endAsync(true),
    };
  },
};

const orders = {
  async open({ kind, ...options }) {
    const connection = (last += 1);
    const opened = await kinds[kind](options, {
      heard: (message) => tell({ connection, heard: message }),
      gone: (word) => tell({ connection, gone: word }),
    });
    connections.set(connection, opened);
    return connection;
  },
  subscribe: ({ connection, topic }) => connections.get(connection).subscribe(topic),
  send: ({ connection, to, body }) => connections.get(connection).send(to, body),
  cut: ({ connection }) => connections.get(connection).cut(),
  close: ({ connection }) => connections.get(connection).close(),
};

/** What a client says of a refusal: a condition, a code or words, as the library has it. */
const wordOf = (error) => {
  if (typeof error === 'string') return error;
  return (
    error?.condition ??
    (typeof error?.code === 'number' ? `code ${error.code}` : error?.message || error?.name || String(error))
  );
};

process.on('message', async ({ order, id, ...rest }) => {
  try {
    const value = await orders[order](rest);
    tell({ id, value: typeof value === 'number' ? value : null });
  } catch (error) {
    tell({ id, refused: wordOf(error) });
  }
});
process.on('disconnect', () => process.exit(0));
// Of connections that were refused already: their libraries say it more than once.
process.on('unhandledRejection', () => undefined);
process.on('uncaughtException', (error) => process.stderr.write(`${error.stack}\n`));
