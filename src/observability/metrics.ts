import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { DomainEvents } from '../events/domain-events.js';
import type { Exposition } from './exposition.js';
import { snapshotOf, type MetricsSnapshot } from './metrics-snapshot.js';

/** What this process counts. Labels are words of ours and route patterns: never an id, an address or a path as sent. */
@Injectable()
export class Metrics implements Exposition {
  private readonly registry = new Registry();

  private readonly requests = new Histogram({
    name: 'ostiary_http_request_duration_seconds',
    help: 'Duration of requests by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [this.registry],
  });

  private readonly begun = this.counter('ostiary_sessions_begun_total', 'Sessions begun.', [
    'kind',
    'provider',
  ]);
  private readonly ended = this.counter('ostiary_sessions_ended_total', 'Sessions ended by somebody.', [
    'reason',
  ]);
  private readonly refusedTokens = this.counter(
    'ostiary_session_tokens_refused_total',
    'Tokens refused because they are unknown, revoked or expired.',
    ['reason'],
  );
  private readonly refreshed = this.counter(
    'ostiary_refresh_tokens_presented_total',
    'Refresh tokens presented, by what came of it.',
    ['outcome'],
  );
  private readonly users = this.counter('ostiary_users_created_total', 'Users created.', ['guest']);
  private readonly chatChecks = this.counter(
    'ostiary_chat_checks_total',
    'Questions of chat servers, by what was answered.',
    ['adapter', 'verdict'],
  );
  private readonly refused = this.counter('ostiary_sign_ins_refused_total', 'Sign-ins refused.', [
    'provider',
    'reason',
  ]);

  constructor(events: DomainEvents) {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('ostiary_workers', 'Processes that serve.', () => 1);
    events.on('session.begun', ({ kind, provider }) =>
      this.begun.inc({ kind, provider: provider ?? 'none' }),
    );
    events.on('session.ended', ({ reason, count }) => this.ended.inc({ reason }, count));
    events.on('session.refused', ({ reason }) => this.refusedTokens.inc({ reason }));
    events.on('session.refreshed', ({ outcome }) => this.refreshed.inc({ outcome }));
    events.on('user.created', ({ guest }) => this.users.inc({ guest: String(guest) }));
    events.on('chat.checked', ({ adapter, verdict }) => this.chatChecks.inc({ adapter, verdict }));
    events.on('sign-in.refused', ({ provider, reason }) => this.refused.inc({ provider, reason }));
  }

  /** @param route the pattern, such as `/v1/users/me/sessions/:id`; unmatched paths share one label. */
  observeRequest(method: string, route: string, status: number, milliseconds: number): void {
    this.requests.observe({ method, route, status }, milliseconds / 1000);
  }

  /** Registers a value that is read when scraped. Those of several processes are added up. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** Registers durations in seconds, from a moment to some minutes unless told otherwise. */
  durations<L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    buckets = [0.01, 0.1, 1, 10, 60, 600],
  ): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }

  /** Registers instants in seconds since the epoch. Where several processes are added up, the latest one counts. */
  timestamps<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, aggregator: 'max', registers: [this.registry] });
  }

  /** Registers what every process finds alike, as it is the database's. Of several processes the greatest counts. */
  common<L extends string>(name: string, help: string, labelNames: L[]): Gauge<L> {
    return new Gauge({ name, help, labelNames, aggregator: 'max', registers: [this.registry] });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** The same for a process that adds several up. */
  snapshot(): Promise<MetricsSnapshot> {
    return snapshotOf(this.registry);
  }

  /** Registers a count that only grows. */
  counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
