import { Injectable } from '@nestjs/common';
import type { ProviderRef } from '../identity/verified-identity.js';
import { Metrics } from '../observability/metrics.js';

/**
 * What came of a call. `no_place` and `left_alone` never reached the provider: it had as many as it may have, or its
 * breaker was open. `failed` is a fault of ours.
 */
export type CallOutcome =
  'proven' | 'refused' | 'unavailable' | 'misconfigured' | 'no_place' | 'left_alone' | 'failed';

/** What an operator sees of the calls to providers: by kind, of which there are few, and never by name. */
@Injectable()
export class ProviderCallMetrics {
  private readonly calls;
  private readonly durations;

  constructor(private readonly metrics: Metrics) {
    this.calls = metrics.counter(
      'ostiary_identity_provider_calls_total',
      'What sign-ins asked of identity providers.',
      ['kind', 'outcome'],
    );
    this.durations = metrics.durations(
      'ostiary_identity_provider_call_duration_seconds',
      'How long identity providers took for all that a sign-in asked of them.',
      ['kind', 'outcome'],
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    );
  }

  note({ kind }: Pick<ProviderRef, 'kind'>, outcome: CallOutcome, milliseconds: number): void {
    this.calls.inc({ kind, outcome });
    if (outcome === 'no_place' || outcome === 'left_alone') return;
    this.durations.observe({ kind, outcome }, milliseconds / 1000);
  }

  watchOpenBreakers(count: () => number): void {
    this.metrics.gauge(
      'ostiary_identity_provider_breakers_open',
      'Identity providers that are left alone after failures in a row.',
      count,
    );
  }
}
