import type { OutboundConfig } from '../../config/config.js';
import type { FirebaseFailure } from './firebase-failure.js';

/** What a worker is started with; the emulator's address is in its environment. */
export interface EmulatorWorkerData {
  readonly projectId: string;
  /** The worker dials by itself, under the same guard. */
  readonly outbound: OutboundConfig;
}

/** To the worker. */
export interface EmulatorQuestion {
  readonly id: number;
  readonly idToken: string;
  readonly tenantId: string | undefined;
}

/** From the worker, by the question's id. */
export interface EmulatorAnswer {
  readonly id: number;
  readonly outcome: { readonly claims: object } | { readonly failure: FirebaseFailure };
}
