import { once } from 'node:events';
import { createServer, get, type Agent, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AddressGuard } from './address-guard.js';
import { guardedAgents } from './guarded-agents.js';

const CONFIG = {
  allow: ['127.0.0.1'],
  connectMilliseconds: 500,
  totalMilliseconds: 100,
  maxResponseBytes: 1024,
  connectionsPerOrigin: 1,
};

describe(guardedAgents.name, () => {
  let server: Server;
  const agents: Agent[] = [];

  beforeAll(async () => {
    // `/stall` is never answered, `/drip` never to the end.
    server = createServer((request, response) => {
      if (request.url === '/drip') return void setInterval(() => response.write('.'), 10).unref();
      if (request.url !== '/stall') response.end('well');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    for (const agent of agents) agent.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const agentThatAllows = (allow: readonly string[]) => {
    const { http } = guardedAgents(new AddressGuard(allow), CONFIG);
    agents.push(http);
    return http;
  };
  const ask = (agent: Agent, path: string, host = '127.0.0.1') =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const request = get({ host, port, path, agent }, (response) => {
        response.resume();
        response.once('error', reject).once('end', () => resolve(response.statusCode));
      });
      request.once('error', reject);
    });

  it.each(['/stall', '/drip'])('ends a request to %s, and has its socket back for the next', async (path) => {
    const agent = agentThatAllows(['127.0.0.1']);
    await expect(ask(agent, path)).rejects.toThrow();
    expect(await ask(agent, '/')).toBe(200);
  });

  it('ends requests that wait for a socket', async () => {
    const agent = agentThatAllows(['127.0.0.1']);
    const outcomes = await Promise.allSettled([ask(agent, '/stall'), ask(agent, '/stall')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it.each(['127.0.0.1', 'localhost'])('does not dial %s where nobody allowed it', async (host) => {
    await expect(ask(agentThatAllows([]), '/', host)).rejects.toMatchObject({
      code: 'ERR_OUTBOUND_REFUSED',
    });
  });

  it.each([
    ['8.8.8.8', 22],
    ['partner.example', 6379],
  ])('C-04 does not dial %s at port %i', async (host, port) => {
    const agent = agentThatAllows(['127.0.0.1']);
    const dialled = new Promise((resolve, reject) => {
      get({ host, port, agent }, resolve).once('error', reject);
    });
    await expect(dialled).rejects.toMatchObject({ refusal: 'refused port' });
  });
});
