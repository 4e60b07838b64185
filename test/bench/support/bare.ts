import type { HashOrder, HashReport } from './bare-hasher.js';
import type { BareAnswer } from './bare-server.js';
import { cpuMicroseconds } from './process-usage.js';
import type { Resources } from './resources.js';
import { endProcess, forkWorker, nextMessage } from './worker-process.js';

const END_GRACE_MILLISECONDS = 2000;

/** A server that answers everything with the same bytes. */
export async function startBareServer(answer: BareAnswer, resources: Resources) {
  const worker = forkWorker('bare-server.ts');
  resources.defer(() => endProcess(worker, END_GRACE_MILLISECONDS));
  const listening = nextMessage<number>(worker, 'The bare server');
  worker.send(answer);
  const port = await listening;
  return { port, cpuMicroseconds: () => cpuMicroseconds(worker.pid!) };
}

/** A process that verifies passwords when asked. */
export function startBareHasher(resources: Resources) {
  const worker = forkWorker('bare-hasher.ts');
  resources.defer(() => endProcess(worker, END_GRACE_MILLISECONDS));
  return {
    cpuMicroseconds: () => cpuMicroseconds(worker.pid!),
    verify: (order: HashOrder): Promise<HashReport> => {
      const report = nextMessage<HashReport>(worker, 'The bare hasher');
      worker.send(order);
      return report;
    },
  };
}
