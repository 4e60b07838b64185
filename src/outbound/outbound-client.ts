import type { Agent as HttpAgent } from 'node:http';
import { Injectable } from '@nestjs/common';
import { Agent, request, type Dispatcher } from 'undici';
import { OutboundConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import type { VerificationTrace } from '../observability/verification-trace.js';
import { AddressGuard } from './address-guard.js';
import { guardedAgents } from './guarded-agents.js';
import { readBody } from './read-body.js';

export interface OutboundRequest {
  readonly method?: 'GET' | 'POST';
  /** http or https, without user information. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly tls?: OutboundTls | undefined;
  /** Who watches, if anybody does, and what the request is for. */
  readonly trace?: { readonly to: VerificationTrace; readonly purpose: string } | undefined;
}

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

export interface OutboundResponse {
  readonly status: number;
  /** Lower-case names; the first value of each. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most the configured bytes, after decompression. */
  readonly body: Buffer;
}

/**
 * The one way out to identity providers. Dials public addresses only, unless the operator's OUTBOUND_ALLOW names
 * others; checks the address that is really dialled; follows no redirect; bounds time and size.
 */
@Injectable()
export class OutboundClient {
  private readonly dispatcher: Dispatcher;
  private readonly agents: { readonly http: HttpAgent; readonly https: HttpAgent };
  private readonly guard: AddressGuard;

  constructor(private readonly config: OutboundConfig) {
    this.guard = new AddressGuard(config.allow);
    this.agents = guardedAgents(this.guard, config);
    this.dispatcher = new Agent({
      connect: { timeout: config.connectMilliseconds, lookup: this.guard.lookup },
      headersTimeout: config.totalMilliseconds,
      bodyTimeout: config.totalMilliseconds,
      maxHeaderSize: 16 * 1024,
      maxResponseSize: config.maxResponseBytes,
      connections: config.connectionsPerOrigin,
    });
  }

  /**
   * @throws BrokerError `identity_provider_unavailable` for whatever keeps a complete answer from arriving in time:
   *   refused addresses, connection and TLS faults, deadlines, answers that are too long.
   */
  async send({
    method = 'GET',
    url,
    headers = {},
    body,
    signal,
  }: OutboundRequest): Promise<OutboundResponse> {
    const deadline = new AbortController();
    // Not AbortSignal.timeout, which cannot be called off: each would be kept, and make an error of it, long after the
    // answer.
    const timer = setTimeout(
      () => deadline.abort(new Error('no answer in time')),
      this.config.totalMilliseconds,
    );
    try {
      this.guard.checkUrl(url);
      const answer = await request(url, {
        method,
        dispatcher: this.dispatcher,
        headers: { accept: 'application/json', 'accept-encoding': 'gzip', ...headers },
        ...(body !== undefined && { body }),
        signal: AbortSignal.any([signal, deadline.signal]),
      });
      return {
        status: answer.statusCode,
        headers: firstValues(answer.headers),
        body: await readBody(answer, this.config.maxResponseBytes),
      };
    } catch (cause) {
      throw new BrokerError('identity_provider_unavailable', { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** For libraries that dial by themselves: agents of Node's http and https under the same guard. */
  agentFor(protocol: 'http:' | 'https:'): HttpAgent {
    return protocol === 'http:' ? this.agents.http : this.agents.https;
  }

  async close(): Promise<void> {
    this.agents.http.destroy();
    this.agents.https.destroy();
    await this.dispatcher.destroy();
  }
}

function firstValues(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value[0]! : value]],
    ),
  );
}
