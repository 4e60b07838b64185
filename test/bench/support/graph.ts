import type { DirectOrder, DirectReport } from './direct-graph.js';
import type { GraphOrder, GraphState } from './graph-server.js';
import { cpuMicroseconds } from './process-usage.js';
import type { Resources } from './resources.js';
import { endProcess, forkWorker, nextMessage } from './worker-process.js';

const END_GRACE_MILLISECONDS = 2000;

/** Facebook's Graph API for one app, in a process of its own. */
export async function startGraph(order: GraphOrder, resources: Resources) {
  const worker = forkWorker('graph-server.ts');
  resources.defer(() => endProcess(worker, END_GRACE_MILLISECONDS));
  const listening = nextMessage<number>(worker, 'The stand-in for Graph');
  worker.send(order);
  const port = await listening;
  return {
    url: `http://127.0.0.1:${port}`,
    cpuMicroseconds: () => cpuMicroseconds(worker.pid!),
    become: (state: GraphState) => void worker.send(state),
  };
}

/** Has the two calls of a sign-in made without a broker. */
export async function askDirectly(order: DirectOrder): Promise<DirectReport> {
  const worker = forkWorker('direct-graph.ts');
  const report = nextMessage<DirectReport>(worker, 'The direct caller');
  worker.send(order);
  return report;
}
