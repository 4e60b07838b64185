import type { Progress } from './progress.js';
import type { Resources } from './resources.js';

/** What a figure has to be; a figure without one is only told. */
export type Goal = { readonly atLeast: number } | { readonly below: number };

export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** The smallest and the largest of the rounds, where `value` is their median. */
  readonly min?: number;
  readonly max?: number;
  readonly goal?: Goal;
}

/** How many values lay where; drawn as bars. */
export interface Distribution {
  readonly name: string;
  readonly unit: string;
  /** Values from `from` (included) to `to` (excluded). */
  readonly buckets: readonly { readonly from: number; readonly to: number; readonly count: number }[];
}

/** The figures of one run, and the conditions they hold under. */
export interface BenchResult {
  readonly conditions: Readonly<Record<string, string | number>>;
  readonly figures: readonly Figure[];
  readonly distributions?: readonly Distribution[];
}

export interface BenchContext {
  readonly progress: Progress;
  /** Closes what the bench starts, however it ends. */
  readonly resources: Resources;
}

/** One question about speed or size, answered by the built server. Throws when an answer was not the expected one. */
export interface Bench {
  readonly name: string;
  /** One sentence for the list. */
  readonly asks: string;
  /** The goals in words, one each. */
  readonly goals: readonly string[];
  run(context: BenchContext): Promise<BenchResult>;
  /** The same of a server with several workers, for `--workers`; absent where that is no question. */
  runWithWorkers?(context: BenchContext, workers: number): Promise<BenchResult>;
}
