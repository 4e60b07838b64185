import { Agent as HttpAgent, type ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { isIP } from 'node:net';
import type { OutboundConfig } from '../config/config.js';
import { RefusedAddressError, type AddressGuard } from './address-guard.js';

type Connecting = { host?: string | null; lookup?: unknown };

/** Node agents that dial what the guard lets them. Literal addresses never reach a lookup: they are checked before. */
export function guardedAgents(
  guard: AddressGuard,
  { totalMilliseconds, connectionsPerOrigin }: OutboundConfig,
) {
  const options = { keepAlive: true, timeout: totalMilliseconds, maxSockets: connectionsPerOrigin };
  const http = new HttpAgent({ ...options, lookup: guard.lookup });
  const https = new HttpsAgent({ ...options, lookup: guard.lookup });
  for (const agent of [http, https]) {
    checkLiterals(agent, guard);
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

function checkLiterals(agent: HttpAgent, guard: AddressGuard): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const host = (options as Connecting).host ?? '';
    if (isIP(host) !== 0 && !guard.mayDial(host)) {
      callback?.(new RefusedAddressError('not a public address'), undefined as unknown as Duplex);
      return undefined;
    }
    return connect(options, callback);
  };
}
