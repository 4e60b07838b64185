import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { get as httpGet } from 'node:http';
import { inspect } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { scriptedServer, type ScriptedServer } from '../../test/support/scripted-server.js';
import { TestNames } from '../../test/support/test-names.js';
import { BrokerError } from '../errors/broker-error.js';
import { NoAnswerError, RefusedAddressError } from './outbound-errors.js';
import { OutboundClient } from './outbound-client.js';

describe('OutboundClient', () => {
  let server: ScriptedServer;
  const clients: OutboundClient[] = [];
  const clientOf = (allow: string[], overrides: object = {}, names = new TestNames()) => {
    const client = new OutboundClient(
      {
        allow,
        connectMilliseconds: 1000,
        totalMilliseconds: 3000,
        maxResponseBytes: 1024,
        connectionsPerOrigin: 20,
        ...overrides,
      },
      names,
    );
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    server = await scriptedServer();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await server.close();
  });

  const signal = () => AbortSignal.timeout(10_000);
  const url = (path = '/') => new URL(path, server.url);
  const errorOf = async (outcome: Promise<unknown>) => {
    const error: unknown = await outcome.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BrokerError);
    expect((error as BrokerError).code).toBe('identity_provider_unavailable');
    return error as BrokerError;
  };

  it('gives what was answered, whatever its status', async () => {
    server.answer({ status: 418, headers: { 'X-Tea': 'green' }, body: 'short' });
    const answer = await clientOf(['127.0.0.1']).send({ url: url(), signal: signal() });
    expect(answer).toMatchObject({ status: 418, headers: { 'x-tea': 'green' } });
    expect(answer.body.toString()).toBe('short');
  });

  it('sends method, headers and body', async () => {
    server.answer({ body: '' });
    const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Bearer x' };
    await clientOf(['127.0.0.1']).send({
      method: 'POST',
      url: url('/t'),
      headers,
      body: 'a=1',
      signal: signal(),
    });
    expect(server.requests).toEqual(['POST /t']);
    expect(server.heads[0]).toMatchObject({ ...headers, 'content-length': '3' });
  });

  it.each([301, 302, 303, 307, 308])('C-03 follows no redirect with status %i', async (redirect) => {
    for (const location of ['/elsewhere', 'http://169.254.169.254/latest/meta-data', 'file:///etc/passwd']) {
      server.answer({ status: redirect, headers: { location, refresh: `0; url=${location}` }, body: '' });
      const { status } = await clientOf(['127.0.0.1']).send({ url: url(), signal: signal() });
      expect(status).toBe(redirect);
    }
    expect(new Set(server.requests)).toEqual(new Set(['GET /']));
  });

  it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])(
    'C-01 does not dial %s unless the operator lists it',
    async (host) => {
      const target = new URL(`http://${host}:${new URL(server.url).port}/`);
      const { cause } = await errorOf(clientOf([]).send({ url: target, signal: signal() }));
      expect(cause).toBeInstanceOf(RefusedAddressError);
      expect(server.requests).toEqual([]);
    },
  );

  it('dials a name that the operator lists', async () => {
    server.answer({ body: 'here' });
    const target = new URL(`http://localhost:${new URL(server.url).port}/`);
    const { status } = await clientOf(['localhost']).send({ url: target, signal: signal() });
    expect(status).toBe(200);
  });

  it('C-02 dials what was judged, and judges each connection', async () => {
    const names = new TestNames().set('partner.example', ['127.0.0.1'], ['127.0.0.2', '10.0.0.1']);
    const client = clientOf(['127.0.0.1'], { connectionsPerOrigin: 2 }, names);
    const target = new URL(`http://partner.example:${new URL(server.url).port}/`);
    server.answer({ headers: { connection: 'close' }, body: '' });
    expect((await client.send({ url: target, signal: signal() })).status).toBe(200);
    const { cause } = await errorOf(client.send({ url: target, signal: signal() }));
    expect(cause).toBeInstanceOf(RefusedAddressError);
    expect(names.asked).toEqual(['partner.example', 'partner.example']);
    expect(server.requests).toHaveLength(1);
  });

  it('C-04 sends nothing to a port of something else', async () => {
    const target = new URL('http://partner.example:6379/');
    const { cause } = await errorOf(clientOf(['127.0.0.1']).send({ url: target, signal: signal() }));
    expect(cause).toMatchObject({ refusal: 'refused port' });
  });

  it('tells a connection that was not made from an answer that did not come', async () => {
    const client = clientOf(['127.0.0.1']);
    const nobody = await scriptedServer();
    await nobody.close();
    const closed = await errorOf(client.send({ url: new URL(nobody.url), signal: signal() }));
    expect(closed.cause).toMatchObject({ name: 'ConnectionNotMadeError', code: 'ECONNREFUSED' });
    const nameless = await errorOf(client.send({ url: new URL('http://no.example/'), signal: signal() }));
    expect(nameless.cause).toMatchObject({ name: 'ConnectionNotMadeError', code: 'ENOTFOUND' });
    server.answer({ body: Buffer.alloc(5000) });
    const long = await errorOf(client.send({ url: url(), signal: signal() }));
    expect(long.cause).toBeInstanceOf(NoAnswerError);
    server.hangUp();
    const cut = await errorOf(client.send({ url: url(), signal: signal() }));
    expect(cut.cause).toMatchObject({ name: 'NoAnswerError', code: 'UND_ERR_SOCKET' });
  });

  it('takes an answer of as many bytes as it may have, and no more', async () => {
    const client = clientOf(['127.0.0.1']);
    server.answer({ body: Buffer.alloc(1024) });
    expect((await client.send({ url: url(), signal: signal() })).body).toHaveLength(1024);
    server.answer({ body: Buffer.alloc(1025) });
    await errorOf(client.send({ url: url(), signal: signal() }));
  });

  it('C-09 cuts off a bomb', async () => {
    const body = gzipSync(Buffer.alloc(512 * 1024));
    expect(body.length).toBeLessThan(1024);
    server.answer({ headers: { 'content-encoding': 'gzip' }, body });
    await errorOf(clientOf(['127.0.0.1']).send({ url: url(), signal: signal() }));
  });

  it('outlives an encoding that it did not ask for', async () => {
    const client = clientOf(['127.0.0.1']);
    server.answer({ headers: { 'content-encoding': 'br' }, body: brotliCompressSync('abc') });
    await errorOf(client.send({ url: url(), signal: signal() }));
    server.answer({ body: 'still here' });
    expect((await client.send({ url: url(), signal: signal() })).body.toString()).toBe('still here');
  });

  it.each(['stall', 'drip'] as const)(
    'C-08 ends at its deadline when the other side does %s',
    async (what) => {
      server[what]();
      await errorOf(
        clientOf(['127.0.0.1'], { totalMilliseconds: 50 }).send({ url: url(), signal: signal() }),
      );
    },
  );

  it.each(['stall', 'drip'] as const)('ends with the signal when the other side does %s', async (what) => {
    server[what]();
    const controller = new AbortController();
    const outcome = errorOf(clientOf(['127.0.0.1']).send({ url: url(), signal: controller.signal }));
    controller.abort();
    await outcome;
  });

  it('does not begin when the signal is aborted already', async () => {
    await errorOf(clientOf(['127.0.0.1']).send({ url: url(), signal: AbortSignal.abort() }));
    expect(server.requests).toEqual([]);
  });

  it('sends no header with a line break', async () => {
    const headers = { authorization: 'Bearer x\r\nx-admin: 1' };
    await errorOf(clientOf(['127.0.0.1']).send({ url: url(), headers, signal: signal() }));
    expect(server.requests).toEqual([]);
  });

  it('repeats nothing of the request in an error', async () => {
    const secret = 'a-secret-of-the-request';
    server.answer({ body: Buffer.alloc(5000) });
    const errors = [
      await errorOf(
        clientOf(['127.0.0.1']).send({
          url: url(`/?token=${secret}`),
          headers: { authorization: secret },
          signal: signal(),
        }),
      ),
      await errorOf(
        clientOf([]).send({
          url: url(`/?token=${secret}`),
          headers: { 'x-a': `${secret}\n` },
          signal: signal(),
        }),
      ),
      await errorOf(
        clientOf(['127.0.0.1']).send({ url: url('/'), headers: { 'x-a': `${secret}\n` }, signal: signal() }),
      ),
    ];
    for (const error of errors) {
      expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(secret);
    }
  });

  describe('gives libraries agents', () => {
    const dial = (client: OutboundClient, target: URL) =>
      new Promise<unknown>((resolve) => {
        httpGet(target, { agent: client.agentFor('http:') }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', resolve);
      });

    it.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])(
      'that do not dial %s unless the operator lists it',
      async (host) => {
        const target = new URL(`http://${host}:${new URL(server.url).port}/`);
        expect(await dial(clientOf([]), target)).toBeInstanceOf(RefusedAddressError);
        expect(server.requests).toEqual([]);
      },
    );

    it('that dial what the operator lists', async () => {
      server.answer({ body: '' });
      expect(await dial(clientOf(['127.0.0.1']), url())).toBe(200);
    });
  });
});
