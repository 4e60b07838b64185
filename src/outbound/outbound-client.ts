import type { Agent as HttpAgent } from 'node:http';
import { Injectable } from '@nestjs/common';
import { request as exchange, type Dispatcher } from 'undici';
import { OutboundConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import type { TracedExchange, VerificationTrace } from '../observability/verification-trace.js';
import { AddressGuard } from './address-guard.js';
import { ConnectionWatch } from './connection-watch.js';
import { guardedAgents } from './guarded-agents.js';
import type { OutboundTls } from './guarded-connector.js';
import { NameResolver } from './name-resolver.js';
import { OutboundConnections } from './outbound-connections.js';
import { failureText, NoAnswerError, toFailure, type OutboundFailure } from './outbound-errors.js';
import { readBody } from './read-body.js';

export type { OutboundTls };

export interface OutboundRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** http or https, without user information. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  readonly tls?: OutboundTls | undefined;
  /** Who watches, if anybody does, and what the request is for. */
  readonly trace?: { readonly to: VerificationTrace; readonly purpose: string } | undefined;
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
  private readonly connections: OutboundConnections;
  private readonly agents: { readonly http: HttpAgent; readonly https: HttpAgent };
  private readonly guard: AddressGuard;

  constructor(
    private readonly config: OutboundConfig,
    names: NameResolver = new NameResolver(),
  ) {
    this.guard = new AddressGuard(config.allow, names);
    this.agents = guardedAgents(this.guard, config);
    this.connections = new OutboundConnections(this.guard, config);
  }

  /**
   * @throws BrokerError `identity_provider_unavailable` for whatever keeps a complete answer from arriving in time. Its
   *   cause says which: `RefusedAddressError`, `ConnectionNotMadeError` (nothing was sent) or `NoAnswerError`.
   */
  async send(request: OutboundRequest): Promise<OutboundResponse> {
    try {
      if (request.trace) return await this.watched(request, request.trace);
      this.guard.checkUrl(request.url);
      return await this.exchanged(request, this.connections.of(request.tls));
    } catch (error) {
      throw new BrokerError('identity_provider_unavailable', { cause: toFailure(error) });
    }
  }

  private async exchanged(
    { method = 'GET', url, headers, body, signal }: OutboundRequest,
    dispatcher: Dispatcher,
    watch?: ConnectionWatch,
  ): Promise<OutboundResponse> {
    const deadline = new AbortController();
    // Not AbortSignal.timeout, which cannot be called off: each would be kept, and make an error of it, long after the
    // answer.
    const timer = setTimeout(
      () => deadline.abort(new NoAnswerError('no answer in time')),
      this.config.totalMilliseconds,
    );
    try {
      const answer = await exchange(url, {
        method,
        dispatcher,
        headers: { ...USUAL_HEADERS, ...headers },
        ...(body !== undefined && { body }),
        signal: AbortSignal.any([signal, deadline.signal]),
      });
      watch?.answers();
      return {
        status: answer.statusCode,
        headers: firstValues(answer.headers),
        body: await readBody(answer, this.config.maxResponseBytes),
      };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Over a connection of its own, so that every stretch is walked and measured. */
  private async watched(
    request: OutboundRequest,
    { to, purpose }: NonNullable<OutboundRequest['trace']>,
  ): Promise<OutboundResponse> {
    const watch = new ConnectionWatch();
    const tell = (response: OutboundResponse | null, failure: OutboundFailure | null) =>
      to.exchange({
        purpose,
        request: asSent(request),
        dialled: watch.dialled,
        timings: watch.timings,
        response,
        failure: failure && failureText(failure),
      });
    let connection: Dispatcher | undefined;
    try {
      this.guard.checkUrl(request.url);
      connection = this.connections.single(request.url, request.tls, watch);
      const response = await this.exchanged(request, connection, watch);
      tell(response, null);
      return response;
    } catch (error) {
      const failure = toFailure(error);
      tell(null, failure);
      throw failure;
    } finally {
      await connection?.destroy();
    }
  }

  /** For libraries that dial by themselves: agents of Node's http and https under the same guard. */
  agentFor(protocol: 'http:' | 'https:'): HttpAgent {
    return protocol === 'http:' ? this.agents.http : this.agents.https;
  }

  async close(): Promise<void> {
    this.agents.http.destroy();
    this.agents.https.destroy();
    await this.connections.close();
  }
}

const USUAL_HEADERS = { accept: 'application/json', 'accept-encoding': 'gzip' };

function asSent({ method = 'GET', url, headers, body }: OutboundRequest): TracedExchange['request'] {
  const length = body !== undefined && { 'content-length': String(Buffer.byteLength(body)) };
  return {
    method,
    url: url.href,
    headers: { host: url.host, ...USUAL_HEADERS, ...headers, ...length },
    body: body ?? null,
  };
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
