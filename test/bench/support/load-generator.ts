import { connect } from 'node:net';
import { Histogram } from './histogram.js';

/*
 * A process of its own that keeps so many connections busy and reports what it saw. Run by `load.ts`, never by hand.
 *
 * It reads sockets in a busy loop and never sleeps: where waking a sleeping process costs the one that wakes it more
 * than the request itself does (virtual machines), a generator that sleeps between answers would be measured instead
 * of the server, and a slow server more than a quick one.
 */

export interface LoadOrder {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  /** Whole requests as sent; each connection takes the next one of the list, from the start again after the last. */
  readonly requests: readonly string[];
  /** Stop after so long … */
  readonly seconds?: number;
  /** … or after so many answers. */
  readonly total?: number;
  /** Requests a second over all connections; none: as many as are answered. */
  readonly rate?: number;
  /** With a rate: connect at once, and begin at this instant of the system clock. */
  readonly beginAt?: number;
  /** Wait for the socket instead of asking it over and over: for load that is not the thing measured. */
  readonly quiet?: boolean;
}

export interface LoadReport {
  readonly requests: number;
  readonly seconds: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Milliseconds. */
  readonly latency: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
    readonly mean: number;
  };
}

process.once('message', (order: LoadOrder) => {
  run(order).then(
    (report) => process.send!(report, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(1));

async function run(order: LoadOrder): Promise<LoadReport> {
  const latencies = new Histogram();
  const statuses: Record<string, number> = {};
  let sent = 0;
  let answered = 0;
  let spinning = true;
  const spin = () => {
    if (spinning) setImmediate(spin);
  };
  if (!order.quiet) spin();

  const startedAt = performance.now() + Math.max(0, (order.beginAt ?? 0) - Date.now());
  const endsAt = order.seconds === undefined ? Infinity : startedAt + order.seconds * 1000;
  const mayBegin = () => performance.now() < endsAt && sent < (order.total ?? Infinity);
  await Promise.all(Array.from({ length: order.connections }, (_, i) => oneConnection(i)));
  const seconds = (performance.now() - startedAt) / 1000;
  spinning = false;
  return { requests: answered, seconds, statuses, latency: latencies.summary() };

  function oneConnection(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: order.host, port: order.port, noDelay: true });
      const answers = new AnswerReader();
      let began = 0;
      const next = () => {
        if (!mayBegin()) {
          socket.destroy();
          resolve();
          return;
        }
        const request = order.requests[sent % order.requests.length]!;
        const turn = sent;
        sent += 1;
        const due = order.rate === undefined ? 0 : startedAt + (turn / order.rate) * 1000;
        const wait = due - performance.now();
        // Counted from when it was due, so that a server that stalls is charged for what it kept waiting. A timer may
        // also fire a little early.
        const send = () => {
          const now = performance.now();
          began = order.rate === undefined ? now : Math.min(due, now);
          socket.write(request);
        };
        if (wait > 1) setTimeout(send, wait);
        else send();
      };
      socket.on('data', (chunk: Buffer) => {
        const status = answers.read(chunk);
        if (status === null) return;
        statuses[status] = (statuses[status] ?? 0) + 1;
        answered += 1;
        latencies.add(performance.now() - began);
        next();
      });
      socket.on('error', reject);
      socket.on('close', () => {
        if (mayBegin()) reject(new Error(`connection ${index} was closed by the server`));
        resolve();
      });
      socket.once('connect', next);
    });
  }
}

/** Finds the end of one answer at a time; nothing is pipelined. */
class AnswerReader {
  private text = '';

  /** @returns the status once the answer is whole. */
  read(chunk: Buffer): string | null {
    this.text += chunk.toString('latin1');
    const headEnd = this.text.indexOf('\r\n\r\n');
    if (headEnd === -1) return null;
    const length = /content-length: (\d+)/i.exec(this.text.slice(0, headEnd));
    const bodyLength = length ? Number(length[1]) : 0;
    if (this.text.length < headEnd + 4 + bodyLength) return null;
    const status = this.text.slice(9, 12);
    this.text = '';
    return status;
  }
}
