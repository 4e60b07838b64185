import { AsyncLocalStorage } from 'node:async_hooks';
import type { CustomFetch } from 'openid-client';
import type { VerificationTrace } from '../../observability/verification-trace.js';
import type { OutboundClient, OutboundTls } from '../../outbound/outbound-client.js';

/** What is of one call, and not of the definition. */
export interface Call {
  readonly purpose: string;
  readonly signal: AbortSignal;
  readonly trace?: VerificationTrace | undefined;
}

/**
 * `fetch` for openid-client by way of the outbound client: guarded addresses, no redirects, bounded time and size. The
 * library takes one function for a whole configuration; what is of one call rides along.
 */
export class OutboundFetch {
  private readonly calls = new AsyncLocalStorage<Call>();

  constructor(
    private readonly outbound: OutboundClient,
    private readonly tls: OutboundTls | undefined,
  ) {}

  /** Runs work of the library; what it fetches is for this call. */
  during<T>(call: Call, work: () => Promise<T>): Promise<T> {
    return this.calls.run(call, work);
  }

  /** @throws BrokerError as `OutboundClient.send`; the library wraps it. */
  readonly fetch: CustomFetch = async (url, { method, headers, body }) => {
    const call = this.calls.getStore();
    if (!call) throw new Error('nobody said what this request is for');
    const {
      status,
      headers: answered,
      body: bytes,
    } = await this.outbound.send({
      method: method === 'POST' ? 'POST' : 'GET',
      url: new URL(url),
      headers,
      ...(body !== undefined && body !== null && { body: textOf(body) }),
      signal: call.signal,
      tls: this.tls,
      ...(call.trace && { trace: { to: call.trace, purpose: call.purpose } }),
    });
    const type = answered['content-type'];
    return new Response(status === 204 || status === 304 ? null : new Uint8Array(bytes), {
      status,
      headers: { ...(type !== undefined && { 'content-type': type }) },
    });
  };
}

/** The library sends forms; other bodies have no business here. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new Error('the library sends a body of another kind');
}
