import { beforeEach, describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { snapshotOf } from '../observability/metrics-snapshot.js';
import { GroupMetrics, type MetricsOwner } from './group-metrics.js';

/** A worker that has so many sign-ups behind it, so many sessions in memory, and one request of a tenth of a second. */
function aWorker({ signUps = 0, sessions = 0, lag = 0, startedAt = Date.now() / 1000 } = {}) {
  const registry = new Registry();
  const registers = [registry];
  const counter = new Counter({ name: 'signed_up_total', help: '…', labelNames: ['guest'], registers });
  counter.inc({ guest: 'false' }, signUps);
  new Gauge({ name: 'sessions', help: '…', registers }).set(sessions);
  new Gauge({ name: 'nodejs_eventloop_lag_p99_seconds', help: '…', aggregator: 'average', registers }).set(
    lag,
  );
  new Gauge({ name: 'process_start_time_seconds', help: '…', aggregator: 'omit', registers }).set(startedAt);
  new Histogram({ name: 'duration', help: '…', buckets: [0.05, 0.5], registers }).observe(0.1);
  return { counter, snapshot: () => snapshotOf(registry) };
}

const gone: MetricsOwner = { snapshot: () => Promise.resolve(null) };
const silent: MetricsOwner = { snapshot: () => Promise.reject(new Error('silent')) };

describe(GroupMetrics.name, () => {
  let group: GroupMetrics;
  beforeEach(() => {
    group = new GroupMetrics();
  });
  const valuesOf = async (...workers: MetricsOwner[]) => {
    const lines = (await group.text(workers)).split('\n').filter((line) => /^[^#]/.test(line));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  };
  const SIGN_UPS = 'signed_up_total{guest="false"}';

  it('adds counters, gauges and histograms up', async () => {
    const values = await valuesOf(
      aWorker({ signUps: 3, sessions: 10 }),
      aWorker({ signUps: 4, sessions: 5 }),
    );
    expect(values).toMatchObject({
      [SIGN_UPS]: 7,
      sessions: 15,
      duration_count: 2,
      'duration_bucket{le="0.05"}': 0,
    });
  });

  it('shows the slowest event loop and the earliest start', async () => {
    const values = await valuesOf(
      aWorker({ lag: 0.01, startedAt: 1000 }),
      aWorker({ lag: 2, startedAt: 2000 }),
    );
    expect(values).toMatchObject({ nodejs_eventloop_lag_p99_seconds: 2, process_start_time_seconds: 1000 });
  });

  it('counts the memory of the parent too', async () => {
    expect((await valuesOf())['process_resident_memory_bytes']).toBeGreaterThan(1e6);
  });

  it('keeps what an ended worker had counted, and nothing of what was in it', async () => {
    const [ended, other] = [aWorker({ signUps: 3, sessions: 10 }), aWorker({ signUps: 4, sessions: 5 })];
    await valuesOf(ended, other);
    group.retire(ended);
    expect(await valuesOf(other)).toMatchObject({ [SIGN_UPS]: 7, sessions: 5, duration_count: 2 });
    other.counter.inc({ guest: 'false' });
    await valuesOf(other);
    group.retire(other);
    expect(await valuesOf(aWorker({ signUps: 1 }))).toMatchObject({
      [SIGN_UPS]: 9,
      sessions: 0,
      duration_count: 3,
    });
  });

  it('counts a worker once that ends while the others are asked', async () => {
    const worker = aWorker({ signUps: 3 });
    await valuesOf(worker);
    const slow: MetricsOwner = {
      snapshot: () => {
        group.retire(worker);
        return Promise.resolve(null);
      },
    };
    expect(await valuesOf(slow)).toMatchObject({ [SIGN_UPS]: 3 });
  });

  it('does without a worker that ends before it answers', async () => {
    expect(await valuesOf(aWorker({ signUps: 3 }), gone)).toMatchObject({ [SIGN_UPS]: 3 });
  });

  it('tells nothing when a worker does not answer', async () => {
    await expect(valuesOf(aWorker({ signUps: 3 }), silent)).rejects.toThrow('silent');
  });
});
