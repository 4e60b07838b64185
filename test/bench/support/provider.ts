import type { DirectOrder, DirectReport } from './direct-caller.js';
import type { ProviderOrder } from './provider-server.js';
import type { Resources } from './resources.js';
import { endProcess, forkWorker, nextMessage } from './worker-process.js';

const END_GRACE_MILLISECONDS = 2000;

/** Starts a stand-in for a provider, in a process of its own. @returns its origin. */
export async function startProvider(order: ProviderOrder, resources: Resources): Promise<string> {
  const worker = forkWorker('provider-server.ts');
  resources.defer(() => endProcess(worker, END_GRACE_MILLISECONDS));
  const listening = nextMessage<number>(worker, 'The stand-in for a provider');
  worker.send(order);
  return `http://127.0.0.1:${await listening}`;
}

/** Has the calls of sign-ins made without a broker. */
export async function askDirectly(order: DirectOrder): Promise<DirectReport> {
  const worker = forkWorker('direct-caller.ts');
  const report = nextMessage<DirectReport>(worker, 'The direct caller');
  worker.send(order);
  return report;
}
