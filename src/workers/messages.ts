import type { MetricsSnapshot } from '../observability/metrics-snapshot.js';

/*
 * What a worker and its parent say to each other over the channel between them. That somebody is to stop is not among
 * it: signals say that, which a worker that has not read its channel yet understands too.
 */

/** Where a serving process answers. */
export interface ServingAddress {
  readonly url: string;
  /** The same as `url` where the main port has the probes. */
  readonly managementUrl: string;
}

export type FromWorker =
  | ({ readonly kind: 'serving' } & ServingAddress)
  /** It could not start; the sentence is for a person. */
  | { readonly kind: 'failed'; readonly sentence: string }
  | { readonly kind: 'snapshot'; readonly id: number; readonly snapshot: MetricsSnapshot }
  /** Somebody has asked it for /metrics. */
  | { readonly kind: 'metrics-wanted'; readonly id: number };

export type FromParent =
  | { readonly kind: 'snapshot-wanted'; readonly id: number }
  /** Null: not every worker has answered. */
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string | null };
