import {
  bulkhead,
  BulkheadRejectedError,
  BrokenCircuitError,
  circuitBreaker,
  ConsecutiveBreaker,
  handleWhen,
  wrap,
  type IPolicy,
} from 'cockatiel';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { IdentityProvidersConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';

/** More providers than are in trouble at once; the least recently used is forgotten, and begins anew. */
const MAX_KEPT = 10_000;

/**
 * Keeps a provider in trouble from troubling others: each has places of its own, a bounded time, and a circuit breaker
 * that leaves it alone after failures in a row.
 */
@Injectable()
export class ProviderCalls {
  private readonly policies = new LRUCache<number, IPolicy>({ max: MAX_KEPT });

  constructor(private readonly config: IdentityProvidersConfig) {}

  /**
   * Runs whatever one sign-in asks of a provider.
   *
   * @param work is given a signal that is aborted when its time is up, and is not waited for from then on.
   * @throws BrokerError `identity_provider_unavailable` when there is no place, no time or no trust left; else what
   *   `work` throws.
   */
  async run<T>(providerId: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      const outcome = await this.policyOf(providerId).execute(() => judged(this.inTime(work)));
      if ('refusal' in outcome) throw outcome.refusal;
      return outcome.value;
    } catch (error) {
      if (error instanceof BrokerError) throw withRetryAfter(error, this.config.breakSeconds);
      if (error instanceof BulkheadRejectedError || error instanceof BrokenCircuitError) {
        throw new BrokerError('identity_provider_unavailable', {
          cause: error,
          retryAfterSeconds: this.config.breakSeconds,
        });
      }
      throw error;
    }
  }

  /** As `run`, past its places and its breaker: for a look at a provider in trouble. */
  runApart<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.inTime(work);
  }

  private async inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const outOfTime = new Promise<never>((_, reject) => {
      // Not AbortSignal.timeout, which cannot be called off: each would be kept long after the sign-in.
      timer = setTimeout(() => {
        stop.abort();
        reject(new BrokerError('identity_provider_unavailable', { cause: new Error('no answer in time') }));
      }, this.config.signInMilliseconds);
    });
    try {
      return await Promise.race([work(stop.signal), outOfTime]);
    } finally {
      clearTimeout(timer);
    }
  }

  private policyOf(providerId: number): IPolicy {
    let policy = this.policies.get(providerId);
    if (!policy) {
      const { callsAtOnce, callsWaiting, breakAfterFailures, breakSeconds } = this.config;
      const breaker = circuitBreaker(handleWhen(isProvidersFault), {
        halfOpenAfter: breakSeconds * 1000,
        breaker: new ConsecutiveBreaker(breakAfterFailures),
      });
      policy = wrap(breaker, bulkhead(callsAtOnce, callsWaiting));
      this.policies.set(providerId, policy);
    }
    return policy;
  }
}

type Outcome<T> = { readonly value: T } | { readonly refusal: BrokerError };

/** To the breaker, a refused credential is a success: it says that the provider is well. */
function judged<T>(work: Promise<T>): Promise<Outcome<T>> {
  return work.then(
    (value) => ({ value }),
    (error: unknown) => {
      if (error instanceof BrokerError && !isProvidersFault(error)) return { refusal: error };
      throw error;
    },
  );
}

function isProvidersFault(error: Error): boolean {
  return error instanceof BrokerError && error.code === 'identity_provider_unavailable';
}

function withRetryAfter(error: BrokerError, seconds: number): BrokerError {
  const needsOne =
    error.retryAfterSeconds === undefined &&
    (error.code === 'identity_provider_unavailable' || error.code === 'identity_provider_misconfigured');
  return needsOne ? new BrokerError(error.code, { cause: error.cause, retryAfterSeconds: seconds }) : error;
}
