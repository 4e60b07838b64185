import { afterEach, describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { scriptedServer, type ScriptedServer } from '../../test/support/scripted-server.js';
import { TestNames } from '../../test/support/test-names.js';
import { TestAuthority } from '../../test/support/tls/certificates.js';
import { tlsServer } from '../../test/support/tls/tls-server.js';
import type { TracedExchange } from '../observability/verification-trace.js';
import { OutboundClient, type OutboundRequest } from './outbound-client.js';

describe('OutboundClient, watched', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  const clientOf = (allow = ['127.0.0.1'], overrides: object = {}) => {
    const config = {
      allow,
      connectMilliseconds: 1000,
      totalMilliseconds: 3000,
      maxResponseBytes: 1024,
      connectionsPerOrigin: 20,
      ...overrides,
    };
    const client = new OutboundClient(config, new TestNames().set('partner.example', ['127.0.0.1']));
    closing.push(() => client.close());
    return client;
  };
  const serverOf = async (): Promise<ScriptedServer> => {
    const server = await scriptedServer();
    closing.push(() => server.close());
    return server;
  };
  /** Sends, and gives what was told of it; what came of it is the same as unwatched. */
  const watched = async (client: OutboundClient, request: Omit<OutboundRequest, 'signal'>) => {
    const told: TracedExchange[] = [];
    const to = {
      exchange: (exchange: TracedExchange) => told.push(exchange),
      mapping: nothing,
      check: nothing,
    };
    const outcome = await client
      .send({ ...request, signal: new AbortController().signal, trace: { to, purpose: 'userinfo' } })
      .catch((error: unknown) => error);
    expect(told).toHaveLength(1);
    return { exchange: told[0]!, outcome };
  };
  const nothing = () => undefined;
  const measured = expect.any(Number) as unknown as number;

  it('tells the request as it was sent, the address that was dialled, and the answer', async () => {
    const server = await serverOf();
    const { port } = new URL(server.url);
    server.answer({
      status: 201,
      headers: { 'x-tea': 'green', 'content-encoding': 'gzip' },
      body: gzipSync('{}'),
    });
    const { exchange, outcome } = await watched(clientOf(), {
      method: 'POST',
      url: new URL(`http://partner.example:${port}/path?a=1`),
      headers: { authorization: 'Bearer x' },
      body: 'ä=1',
    });
    expect(outcome).toMatchObject({ status: 201 });
    expect(exchange).toEqual({
      purpose: 'userinfo',
      request: {
        method: 'POST',
        url: `http://partner.example:${port}/path?a=1`,
        headers: {
          host: `partner.example:${port}`,
          accept: 'application/json',
          'accept-encoding': 'gzip',
          authorization: 'Bearer x',
          'content-length': '4',
        },
        body: 'ä=1',
      },
      dialled: { address: '127.0.0.1', port: Number(port), tls: null },
      timings: { dns: measured, connect: measured, tls: null, firstByte: measured, total: measured },
      response: outcome,
      failure: null,
    });
    expect(server.heads[0]).toMatchObject(exchange.request.headers);
  });

  it('walks every stretch each time', async () => {
    const server = await serverOf();
    server.answer({ body: '{}' });
    const client = clientOf();
    const url = new URL(server.url);
    for (let i = 0; i < 2; i += 1) {
      const { timings } = (await watched(client, { url })).exchange;
      expect(timings).toEqual({
        dns: null,
        connect: measured,
        tls: null,
        firstByte: measured,
        total: measured,
      });
      const { connect, firstByte, total } = timings;
      expect(total).toBeGreaterThanOrEqual(connect! + firstByte!);
    }
  });

  it('tells who the other side says it is', async () => {
    const authority = TestAuthority.named('The authority');
    const server = await tlsServer(authority.issue({ name: 'partner', hosts: ['partner.example'] }));
    closing.push(() => server.close());
    const { exchange } = await watched(clientOf(), {
      url: new URL(`https://partner.example:${server.port}/`),
      tls: { ca: authority.certificate },
    });
    expect(exchange).toMatchObject({
      dialled: {
        address: '127.0.0.1',
        port: server.port,
        tls: { protocol: 'TLSv1.3', subject: 'CN=partner', issuer: 'CN=The authority' },
      },
      timings: { dns: measured, connect: measured, tls: measured, firstByte: measured },
      failure: null,
    });
  });

  it('tells why TLS failed, and whom it had reached', async () => {
    const server = await tlsServer(
      TestAuthority.named('A').issue({ name: 'partner', hosts: ['partner.example'] }),
    );
    closing.push(() => server.close());
    const url = new URL(`https://partner.example:${server.port}/`);
    const { exchange, outcome } = await watched(clientOf(), { url });
    expect(outcome).toMatchObject({ code: 'identity_provider_unavailable' });
    expect(exchange).toMatchObject({
      dialled: { address: '127.0.0.1', port: server.port },
      response: null,
      failure: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });

  it.each([
    ['http://127.0.0.1:8080/', 'not a public address'],
    ['http://partner.example:8080/', 'not a public address'],
    ['http://partner.example:22/', 'refused port'],
    ['ftp://partner.example/', 'not http'],
    ['http://nobody.example/', 'ENOTFOUND'],
  ])('tells of %s that nobody was dialled: %s', async (url, failure) => {
    const { exchange, outcome } = await watched(clientOf([]), { url: new URL(url) });
    expect(outcome).toMatchObject({ code: 'identity_provider_unavailable' });
    expect(exchange).toMatchObject({ dialled: null, response: null, failure, timings: { connect: null } });
  });

  it('tells of a connection that nobody takes', async () => {
    const server = await scriptedServer();
    await server.close();
    const { exchange } = await watched(clientOf(), { url: new URL(server.url) });
    expect(exchange).toMatchObject({ dialled: null, failure: 'ECONNREFUSED' });
  });

  it('tells of answers that are too long, late or broken off', async () => {
    const server = await serverOf();
    const url = new URL(server.url);
    const dialled = { address: '127.0.0.1', port: Number(url.port), tls: null };
    server.answer({ body: Buffer.alloc(5000) });
    expect((await watched(clientOf(), { url })).exchange).toMatchObject({
      dialled,
      failure: 'the answer is too long',
      timings: { firstByte: measured },
    });
    server.stall();
    const late = await watched(clientOf(undefined, { totalMilliseconds: 50 }), { url });
    expect(late.exchange).toMatchObject({
      dialled,
      failure: 'no answer in time',
      timings: { firstByte: null },
    });
    server.hangUp();
    expect((await watched(clientOf(), { url })).exchange).toMatchObject({
      dialled,
      failure: 'the connection ended before the answer did',
    });
  });
});
