import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { AddressGuard } from './address-guard.js';
import type { ConnectionWatch } from './connection-watch.js';
import { toConnectionFailure } from './outbound-errors.js';

/** Said out loud, as NODE_TLS_REJECT_UNAUTHORIZED would otherwise decide: nothing switches the checks off. */
export const STRICT_TLS = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const;

/**
 * What connections to one provider are secured with, beside the public authorities. Connections are kept by the object:
 * a verifier holds one and hands in the same each time.
 */
export interface OutboundTls {
  /** PEM: trusted in the place of the public authorities. */
  readonly ca?: string;
  /** PEM, shown to the provider (mutual TLS); both or neither. */
  readonly clientCertificate?: string;
  readonly clientKey?: string;
}

interface ConnectorOptions {
  readonly guard: AddressGuard;
  readonly connectMilliseconds: number;
  readonly tls: OutboundTls | undefined;
  readonly watch?: ConnectionWatch;
}

/** Makes connections that the guard permits. What fails while one is made is told apart from what fails afterwards. */
export function guardedConnector({
  guard,
  connectMilliseconds,
  tls,
  watch,
}: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({
    ...STRICT_TLS,
    timeout: connectMilliseconds,
    lookup: watch ? watch.lookup(guard.lookup) : guard.lookup,
    ...(tls?.ca !== undefined && { ca: tls.ca }),
    ...(tls?.clientCertificate !== undefined && { cert: tls.clientCertificate }),
    ...(tls?.clientKey !== undefined && { key: tls.clientKey }),
  }) as (...parameters: Parameters<buildConnector.connector>) => Socket;
  return (options, callback) => {
    const socket = connect(options, (...[error, made]) => {
      if (error) callback(toConnectionFailure(error), null);
      else callback(null, made);
    });
    watch?.dials(socket);
  };
}
