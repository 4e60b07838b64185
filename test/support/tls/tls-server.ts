import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Certified } from './certificates.js';

export interface TlsServer {
  readonly port: number;
  /** Requests that came through, each with the common name of the certificate that its sender showed. */
  readonly requests: { readonly path: string; readonly shown: string | null }[];
  /** How many clients have connected, whether or not they liked what they saw. */
  connections(): number;
  close(): Promise<void>;
}

/** A server that says who it is with a certificate, and answers everything with `{"id":"ada"}`. */
export async function tlsServer(
  { certificate, key }: Certified,
  options: ServerOptions = {},
): Promise<TlsServer> {
  const requests: TlsServer['requests'] = [];
  const server = createServer({ cert: certificate, key, ...options }, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    const shown = (subject as { CN?: string } | undefined)?.CN ?? null;
    requests.push({ path: request.url!, shown });
    response.setHeader('content-type', 'application/json').end('{"id":"ada"}');
  });
  let connections = 0;
  server.on('connection', () => (connections += 1));
  // Clients that do not like what they see are what is tried.
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
