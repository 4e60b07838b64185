import { Worker } from 'node:worker_threads';
import { BrokerError } from '../../errors/broker-error.js';
import type { OutboundConfig } from '../../config/config.js';
import { failureError } from './firebase-failure.js';
import type { EmulatorAnswer, EmulatorQuestion, EmulatorWorkerData } from './emulator-messages.js';
import { giveUpOnAbort } from '../../outbound/give-up-on-abort.js';

/** Which emulator, and which of its projects. */
export interface EmulatorPlace {
  readonly host: string;
  readonly projectId: string;
}

interface Pending {
  readonly resolve: (claims: object) => void;
  readonly reject: (error: BrokerError) => void;
}

/** One thread for each emulator and project: started when first asked, and again when asked after it died. */
export class EmulatorWorkers {
  private readonly workers = new Map<string, EmulatorThread>();

  /** @param entry the built worker. */
  constructor(
    private readonly entry: URL,
    private readonly outbound: OutboundConfig,
  ) {}

  /** @throws BrokerError as `IdentityVerifier.verify`; `identity_provider_unavailable` also when the thread dies. */
  ask(
    place: EmulatorPlace,
    idToken: string,
    tenantId: string | undefined,
    signal: AbortSignal,
  ): Promise<object> {
    const key = `${place.projectId} ${place.host}`;
    const thread = this.workers.get(key) ?? this.start(key, place);
    return giveUpOnAbort(thread.ask(idToken, tenantId), signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.workers.values()].map((thread) => thread.end()));
  }

  private start(key: string, { host, projectId }: EmulatorPlace): EmulatorThread {
    const thread: EmulatorThread = new EmulatorThread(
      new Worker(this.entry, {
        env: { FIREBASE_AUTH_EMULATOR_HOST: host },
        workerData: { projectId, outbound: this.outbound } satisfies EmulatorWorkerData,
      }),
      () => {
        if (this.workers.get(key) === thread) this.workers.delete(key);
      },
    );
    this.workers.set(key, thread);
    return thread;
  }
}

/** A worker and those who wait for its answers. */
class EmulatorThread {
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;

  constructor(
    private readonly worker: Worker,
    private readonly onGone: () => void,
  ) {
    worker.on('message', (answer: EmulatorAnswer) => this.hear(answer));
    worker.on('messageerror', () => void worker.terminate());
    // An "exit" follows.
    worker.on('error', () => this.abandon());
    worker.on('exit', () => this.abandon());
    // It keeps no process alive by itself, only while somebody waits for it.
    worker.unref();
  }

  ask(idToken: string, tenantId: string | undefined): Promise<object> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ id, idToken, tenantId } satisfies EmulatorQuestion);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private hear({ id, outcome }: EmulatorAnswer): void {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    if (this.pending.size === 0) this.worker.unref();
    if ('claims' in outcome) pending?.resolve(outcome.claims);
    else pending?.reject(failureError(outcome.failure));
  }

  private abandon(): void {
    this.onGone();
    const cause = new Error("the emulator's worker is gone");
    for (const { reject } of this.pending.values()) {
      reject(new BrokerError('identity_provider_unavailable', { cause }));
    }
    this.pending.clear();
  }
}
