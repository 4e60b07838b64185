import { Agent as HttpAgent, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { OutboundConfig } from '../config/config.js';
import type { AddressGuard } from './address-guard.js';
import { STRICT_TLS } from './guarded-connector.js';
import { toFailure } from './outbound-errors.js';

type Connecting = { host?: string | null; port?: number | string | null };

/** Node agents that dial what the guard lets them. */
export function guardedAgents(
  guard: AddressGuard,
  { totalMilliseconds, connectionsPerOrigin }: OutboundConfig,
) {
  const options = { keepAlive: true, timeout: totalMilliseconds, maxSockets: connectionsPerOrigin };
  const http = new HttpAgent({ ...options, lookup: guard.lookup });
  const https = new HttpsAgent({ ...options, ...STRICT_TLS, lookup: guard.lookup });
  for (const agent of [http, https]) {
    checkTargets(agent, guard);
    endInTime(agent, totalMilliseconds);
  }
  return { http, https };
}

/**
 * An agent's own timeout ends idle sockets only, and libraries set none for their requests: a provider that accepts
 * connections and says nothing would keep each of the few sockets there are for ever.
 */
function endInTime(agent: HttpAgent, milliseconds: number): void {
  const queue = agent as HttpAgent & { addRequest(request: ClientRequest, ...rest: unknown[]): void };
  const addRequest = queue.addRequest.bind(agent);
  queue.addRequest = (request, ...rest) => {
    const tooLate = () => request.destroy(new Error('no complete answer in time'));
    const timer = setTimeout(tooLate, milliseconds).unref();
    request.once('close', () => clearTimeout(timer));
    addRequest(request, ...rest);
  };
}

function checkTargets(agent: HttpAgent, guard: AddressGuard): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const { host, port } = options as Connecting;
    try {
      guard.checkTarget(host ?? '', Number(port));
    } catch (error) {
      callback?.(toFailure(error), undefined as unknown as Duplex);
      return undefined;
    }
    return connect(options, callback);
  };
}
