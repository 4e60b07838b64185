import type { LoadOrder, LoadReport } from './load-generator.js';
import { forkWorker, nextMessage } from './worker-process.js';

/**
 * Has a load generator carry out an order in a process of its own.
 *
 * @param prepare is called with its process before it begins.
 * @throws when an answer had another status than `expectedStatus`: then the figure is not of the thing it is named for.
 */
export async function runLoad(
  order: LoadOrder,
  expectedStatus: number,
  prepare: (generatorPid: number) => void = () => undefined,
): Promise<LoadReport> {
  const worker = forkWorker('load-generator.ts');
  prepare(worker.pid!);
  const answer = nextMessage<LoadReport>(worker, 'The load generator');
  worker.send(order);
  const report = await answer;
  const unexpected = Object.entries(report.statuses).filter(([status]) => status !== String(expectedStatus));
  if (unexpected.length > 0) {
    const counts = unexpected.map(([status, count]) => `${count} times ${status}`).join(', ');
    throw new Error(`Of ${report.requests} answers not all were ${expectedStatus}: ${counts}.`);
  }
  return report;
}

/** A request as it goes over the wire, on a connection that stays open. */
export function rawRequest(
  method: string,
  path: string,
  authorization: string | null,
  body?: Readonly<Record<string, unknown>>,
): string {
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${
    authorization === null ? '' : `Authorization: ${authorization}\r\n`
  }`;
  if (body === undefined) return `${head}\r\n`;
  const text = JSON.stringify(body);
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}
