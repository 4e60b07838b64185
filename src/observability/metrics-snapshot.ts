import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client';

interface MetricOfOneProcess {
  readonly name: string;
  readonly type: string;
  /** How its values become one. */
  readonly aggregator: string;
}

/** The metrics of one process at one moment, as plain data that can be sent to another one. */
export type MetricsSnapshot = readonly MetricOfOneProcess[];

/** Where a sum says nothing, and the library's own choice would hide the one process that has a problem. */
const TOGETHER: Readonly<Record<string, string>> = {
  process_start_time_seconds: 'min',
  ostiary_revocations_confirmed_seconds: 'max',
  nodejs_eventloop_lag_p90_seconds: 'max',
  nodejs_eventloop_lag_p99_seconds: 'max',
};

/** So seldom that a process which only waits is not woken for it. */
const SELDOM_MILLISECONDS = 3_600_000;

export async function snapshotOf(registry: Registry): Promise<MetricsSnapshot> {
  return (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
}

/** The metrics of several processes as text: added up, unless a sum would say nothing. */
export function textOf(snapshots: readonly MetricsSnapshot[]): Promise<string> {
  return addUp(snapshots).metrics();
}

/** Of several snapshots what stays true when their processes are gone: what was counted, not what is at the moment. */
export function countsOf(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  const counts = snapshots.map((metrics) =>
    metrics.filter(({ type }) => type === 'counter' || type === 'histogram'),
  );
  return addUp(counts).getMetricsAsArray() as unknown as MetricsSnapshot;
}

/** The part of a process that serves nobody itself: its processor time, memory and files. */
export class OwnUsage {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: SELDOM_MILLISECONDS });
  }

  async snapshot(): Promise<MetricsSnapshot> {
    return (await snapshotOf(this.registry)).filter(({ name }) => name.startsWith('process_'));
  }
}

function addUp(snapshots: readonly MetricsSnapshot[]): Registry {
  const adjusted = snapshots.map((metrics) =>
    metrics.map((metric) => ({ ...metric, aggregator: TOGETHER[metric.name] ?? metric.aggregator })),
  );
  return AggregatorRegistry.aggregate(adjusted);
}
