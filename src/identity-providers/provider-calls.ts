import { setTimeout as delay } from 'node:timers/promises';
import {
  bulkhead,
  BulkheadRejectedError,
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  type BulkheadPolicy,
  type CircuitBreakerPolicy,
} from 'cockatiel';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { IdentityProvidersConfig } from '../config/config.js';
import { BrokerError } from '../errors/broker-error.js';
import type { ProviderRef } from '../identity/verified-identity.js';
import { ProviderCallMetrics, type CallOutcome } from './provider-call-metrics.js';

/** More providers than are in trouble at once; the least recently used is forgotten, and begins anew. */
const MAX_KEPT = 10_000;

/**
 * When a provider is given up, hundreds may be waiting for a place there. They have waited for seconds; told one after
 * the other, they keep nobody else from being served in between.
 */
const BETWEEN_REFUSALS_MILLISECONDS = 4;

interface Guards {
  readonly breaker: CircuitBreakerPolicy;
  readonly places: BulkheadPolicy;
  /** While the breaker is open: when it may be tried again, in milliseconds since the epoch, as the library counts. */
  triedAgainAt: number;
  /** When the next of those who wait may be told that it is left alone, by `performance.now()`. */
  nextRefusalAt: number;
}

/** Causes for the log: made once and without a stack, as there may be hundreds a second while a provider is down. */
const LEFT_ALONE = withoutStack('the provider is left alone after failures in a row');
const NO_PLACE = withoutStack('the provider has as many calls as it may have');

/** Its time was up before it had a place: that says nothing about the provider. */
class StillWaitingError extends Error {
  override readonly name = 'StillWaitingError';
}

/**
 * Keeps a provider in trouble from troubling others: each has places of its own, a bounded time, and a circuit breaker
 * that leaves it alone after failures in a row.
 */
@Injectable()
export class ProviderCalls {
  private readonly guards = new LRUCache<number, Guards>({ max: MAX_KEPT });

  constructor(
    private readonly config: IdentityProvidersConfig,
    private readonly metrics: ProviderCallMetrics,
  ) {
    metrics.watchOpenBreakers(() => this.openBreakers);
  }

  /** How many providers are left alone, by this process. */
  get openBreakers(): number {
    return [...this.guards.values()].filter(({ breaker }) => breaker.state !== CircuitState.Closed).length;
  }

  /**
   * Runs whatever one sign-in asks of a provider.
   *
   * @param work is given a signal that is aborted when its time is up, and is not waited for from then on. The time
   *   that it waits for a place counts.
   * @throws BrokerError `identity_provider_unavailable` when there is no place, no time or no trust left; else what
   *   `work` throws.
   */
  async run<T>(
    provider: Pick<ProviderRef, 'id' | 'kind'>,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    const tell = (outcome: CallOutcome) =>
      this.metrics.note(provider, outcome, performance.now() - startedAt);
    try {
      const value = await this.guarded(this.guardsOf(provider.id), work);
      tell('proven');
      return value;
    } catch (error) {
      const outcome = outcomeOf(error);
      tell(outcome);
      if (error instanceof BrokerError) throw withRetryAfter(error, this.config.breakSeconds);
      if (!isTurnedAway(error)) throw error;
      throw new BrokerError('identity_provider_unavailable', {
        cause: outcome === 'left_alone' ? LEFT_ALONE : NO_PLACE,
        retryAfterSeconds: this.config.breakSeconds,
      });
    }
  }

  /**
   * Turns a sign-in away at once while the provider is left alone, before anything is spent on it: there may be hundreds
   * a second, and those at other providers shall not feel them.
   *
   * @throws BrokerError `identity_provider_unavailable`
   */
  refuseWhileLeftAlone(provider: Pick<ProviderRef, 'id' | 'kind'>): void {
    const guards = this.guards.get(provider.id);
    if (!guards || !isLeftAlone(guards)) return;
    this.metrics.note(provider, 'left_alone', 0);
    throw new BrokerError('identity_provider_unavailable', {
      cause: LEFT_ALONE,
      retryAfterSeconds: this.config.breakSeconds,
    });
  }

  /** As `run`, past its places and its breaker: for a look at a provider in trouble. */
  runApart<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.inTime(bulkhead(1), work);
  }

  private async guarded<T>(guards: Guards, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { breaker, places } = guards;
    // While one call tries the provider again, the breaker would have all others wait for what comes of it: any number
    // of them, for as long as a provider that hangs takes.
    if (isLeftAlone(guards)) throw new BrokenCircuitError();
    const isTrial = breaker.state === CircuitState.Open;
    const outcome = await breaker.execute(() =>
      judged(
        this.inTime(places, async (signal) => {
          if (isTrial || breaker.state === CircuitState.Closed) return work(signal);
          // It opened while this one waited for its place.
          await turnToBeRefused(guards);
          throw new BrokenCircuitError();
        }),
      ),
    );
    if ('refusal' in outcome) throw outcome.refusal;
    return outcome.value;
  }

  private async inTime<T>(places: BulkheadPolicy, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController();
    let hasPlace = false;
    let timer: NodeJS.Timeout | undefined;
    const outOfTime = new Promise<never>((_, reject) => {
      // Not AbortSignal.timeout, which cannot be called off: each would be kept long after the sign-in.
      timer = setTimeout(() => {
        stop.abort();
        const cause = new Error('no answer in time');
        reject(
          hasPlace ? new BrokerError('identity_provider_unavailable', { cause }) : new StillWaitingError(),
        );
      }, this.config.signInMilliseconds);
    });
    // Without the signal: a bulkhead that drops one who waits forgets to call the next.
    const placed = places.execute(() => {
      if (stop.signal.aborted) throw new StillWaitingError();
      hasPlace = true;
      // The place is free when the time is up, whether or not the work listens to its signal.
      return Promise.race([work(stop.signal), outOfTime]);
    });
    try {
      return await Promise.race([placed, outOfTime]);
    } finally {
      clearTimeout(timer);
    }
  }

  private guardsOf(providerId: number): Guards {
    let guards = this.guards.get(providerId);
    if (!guards) {
      const { callsAtOnce, callsWaiting, breakAfterFailures, breakSeconds } = this.config;
      const breaker = circuitBreaker(
        // A trial that could not even be made is no reason to send everybody again.
        handleWhen(
          (error) =>
            isProvidersFault(error) || (breaker.state === CircuitState.HalfOpen && isTurnedAway(error)),
        ),
        {
          halfOpenAfter: breakSeconds * 1000,
          breaker: new ConsecutiveBreaker(breakAfterFailures),
        },
      );
      const made: Guards = {
        breaker,
        places: bulkhead(callsAtOnce, callsWaiting),
        triedAgainAt: 0,
        nextRefusalAt: 0,
      };
      breaker.onBreak(() => (made.triedAgainAt = Date.now() + breakSeconds * 1000));
      this.guards.set(providerId, (guards = made));
    }
    return guards;
  }
}

function turnToBeRefused(guards: Guards): Promise<void> {
  const now = performance.now();
  const turn = Math.max(now, guards.nextRefusalAt);
  guards.nextRefusalAt = turn + BETWEEN_REFUSALS_MILLISECONDS;
  return delay(turn - now);
}

function isLeftAlone({ breaker, triedAgainAt }: Guards): boolean {
  if (breaker.state === CircuitState.Open) return Date.now() < triedAgainAt;
  return breaker.state === CircuitState.HalfOpen;
}

function withoutStack(message: string): Error {
  const error = new Error(message);
  error.stack = `${error.name}: ${message}`;
  return error;
}

function isTurnedAway(error: unknown): boolean {
  return (
    error instanceof BulkheadRejectedError ||
    error instanceof BrokenCircuitError ||
    error instanceof StillWaitingError
  );
}

function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof BrokenCircuitError) return 'left_alone';
  if (isTurnedAway(error)) return 'no_place';
  if (!(error instanceof BrokerError)) return 'failed';
  if (error.code === 'identity_provider_unavailable') return 'unavailable';
  return error.code === 'identity_provider_misconfigured' ? 'misconfigured' : 'refused';
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
