import cluster, { type Worker } from 'node:cluster';
import type { MetricsSnapshot } from '../observability/metrics-snapshot.js';
import type { FromParent, FromWorker, ServingAddress } from './messages.js';

/** A busy worker answers late; one that does not answer for so long has stopped working. */
const SNAPSHOT_MILLISECONDS = 3000;

/** How a worker ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it did not start, for a person; null when it served. */
  readonly sentence: string | null;
  /** Null: it never served. */
  readonly servedMilliseconds: number | null;
}

/** A worker did not come to serve. The message is for a person. */
export class WorkerStartError extends Error {
  override readonly name = 'WorkerStartError';
}

interface Awaited {
  readonly resolve: (snapshot: MetricsSnapshot | null) => void;
  readonly reject: (error: Error) => void;
}

/** One worker as its parent sees it, from its start to its end. */
export class WorkerProcess {
  /** @throws WorkerStartError when it ends instead. */
  readonly serving: Promise<ServingAddress>;
  /** Once it is gone and everything it has said was heard. */
  readonly ended: Promise<WorkerEnd>;
  private readonly awaited = new Map<number, Awaited>();
  private lastId = 0;
  private servesSince: number | null = null;
  private sentence: string | null = null;

  private constructor(
    private readonly worker: Worker,
    gatherMetrics: () => Promise<string | null>,
  ) {
    const address = new Promise<ServingAddress>((resolve) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'serving') {
          this.servesSince ??= performance.now();
          resolve({ url: message.url, managementUrl: message.managementUrl });
        } else if (message.kind === 'failed') this.sentence = message.sentence;
        else if (message.kind === 'snapshot') this.awaited.get(message.id)?.resolve(message.snapshot);
        else void gatherMetrics().then((text) => this.send({ kind: 'metrics', id: message.id, text }));
      });
    });
    this.ended = endOf(worker).then((how) => this.end(how));
    this.serving = Promise.race([address, this.ended.then(({ sentence }) => startError(sentence))]);
  }

  /** @param gatherMetrics what to answer when somebody has asked the worker; null: not all have told. */
  static fork(gatherMetrics: () => Promise<string | null>): WorkerProcess {
    return new WorkerProcess(cluster.fork(), gatherMetrics);
  }

  get pid(): number | undefined {
    return this.worker.process.pid;
  }

  get isServing(): boolean {
    return this.servesSince !== null && this.worker.isConnected();
  }

  /** Its metrics now; null when it ends meanwhile. @throws when it does not answer. */
  async snapshot(): Promise<MetricsSnapshot | null> {
    const id = (this.lastId += 1);
    const answer = new Promise<MetricsSnapshot | null>((resolve, reject) =>
      this.awaited.set(id, { resolve, reject }),
    );
    const silent = new Error(`worker ${this.pid} does not answer`);
    const late = setTimeout(() => this.awaited.get(id)?.reject(silent), SNAPSHOT_MILLISECONDS);
    try {
      this.send({ kind: 'snapshot-wanted', id });
      return await answer;
    } finally {
      clearTimeout(late);
      this.awaited.delete(id);
    }
  }

  /** Asks it to end as it would by itself, in its own time. A worker that does not serve yet ends at once. */
  stop(): Promise<WorkerEnd> {
    this.worker.process.kill('SIGTERM');
    return this.ended;
  }

  kill(): void {
    this.worker.process.kill('SIGKILL');
  }

  /** What cannot be sent was meant for a worker that ends; `ended` tells. */
  private send(message: FromParent): void {
    this.worker.send(message, () => undefined);
  }

  private end({ code, signal, error }: Exit): WorkerEnd {
    for (const { resolve } of this.awaited.values()) resolve(null);
    const servedMilliseconds = this.servesSince === null ? null : performance.now() - this.servesSince;
    const how = error ?? (signal === null ? `exit code ${code}` : signal);
    const sentence = this.sentence ?? `A server process ended before it served (${how}).`;
    return { code, signal, sentence: servedMilliseconds === null ? sentence : null, servedMilliseconds };
  }
}

interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  /** It could not even be started: the system's word for why. */
  readonly error: string | null;
}

/** Resolves when the process is gone and its channel is read to the end, in whichever order that comes. */
function endOf(worker: Worker): Promise<Exit> {
  const exit = new Promise<Exit>((resolve) =>
    worker.once('exit', (code: number | null, signal: string | null) =>
      resolve({ code, signal, error: null }),
    ),
  );
  const silence = new Promise((resolve) => worker.once('disconnect', resolve));
  const failure = new Promise<Exit>((resolve) =>
    // Without a process id nothing was started, and no other event comes.
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (worker.process.pid === undefined)
        resolve({ code: null, signal: null, error: error.code ?? error.message });
    }),
  );
  return Promise.race([failure, Promise.all([exit, silence]).then(([how]) => how)]);
}

function startError(sentence: string | null): never {
  throw new WorkerStartError(sentence ?? 'A server process ended while it served.');
}
