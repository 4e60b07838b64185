import type { LookupFunction, Socket } from 'node:net';
import { TLSSocket, type PeerCertificate } from 'node:tls';
import type { TracedExchange } from '../observability/verification-trace.js';

/** Measures one connection and the one exchange over it, each stretch by itself. */
export class ConnectionWatch {
  private readonly startedAt = performance.now();
  private lookupStartedAt: number | null = null;
  private lookedUpAt: number | null = null;
  private connectedAt: number | null = null;
  private securedAt: number | null = null;
  private answeredAt: number | null = null;
  private socket: Socket | null = null;
  dialled: TracedExchange['dialled'] = null;

  /** Literal addresses are dialled without. */
  lookup(inner: LookupFunction): LookupFunction {
    return (hostname, options, callback) => {
      this.lookupStartedAt = performance.now();
      inner(hostname, options, (...outcome) => {
        this.lookedUpAt = performance.now();
        callback(...outcome);
      });
    };
  }

  dials(socket: Socket): void {
    this.socket = socket;
    socket.once('connect', () => {
      this.connectedAt = performance.now();
      this.dialled = dialledBy(socket);
    });
    socket.once('secureConnect', () => {
      this.securedAt = performance.now();
      this.dialled = dialledBy(socket);
    });
  }

  /** The head of the answer is there. */
  answers(): void {
    this.answeredAt = performance.now();
  }

  get timings(): TracedExchange['timings'] {
    const ready = this.socket instanceof TLSSocket ? this.securedAt : this.connectedAt;
    return {
      dns: stretch(this.lookupStartedAt, this.lookedUpAt),
      connect: stretch(this.lookedUpAt ?? this.startedAt, this.connectedAt),
      tls: stretch(this.connectedAt, this.securedAt),
      firstByte: stretch(ready, this.answeredAt),
      total: performance.now() - this.startedAt,
    };
  }
}

function stretch(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : to - from;
}

function dialledBy(socket: Socket): TracedExchange['dialled'] {
  const { remoteAddress: address, remotePort: port } = socket;
  if (address === undefined || port === undefined) return null;
  const protocol = socket instanceof TLSSocket ? socket.getProtocol() : null;
  if (!(socket instanceof TLSSocket) || protocol === null) return { address, port, tls: null };
  const { subject, issuer } = socket.getPeerCertificate();
  return { address, port, tls: { protocol, subject: nameOf(subject), issuer: nameOf(issuer) } };
}

/** `CN=partner.example, O=Partner`. Values come from the other side: the trace's reader masks and escapes. */
function nameOf(name: PeerCertificate['subject'] | undefined): string {
  return Object.entries(name ?? {})
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ');
}
