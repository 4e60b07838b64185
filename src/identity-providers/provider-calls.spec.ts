import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerError } from '../errors/broker-error.js';
import { DomainEvents } from '../events/domain-events.js';
import { Metrics } from '../observability/metrics.js';
import { ProviderCallMetrics } from './provider-call-metrics.js';
import { ProviderCalls } from './provider-calls.js';

const config = {
  signInMilliseconds: 10_000,
  callsAtOnce: 2,
  callsWaiting: 1,
  breakAfterFailures: 3,
  breakSeconds: 10,
  insecureFirebaseEmulatorInProduction: false,
};
const ONE = { id: 1, kind: 'http' };
const TWO = { id: 2, kind: 'oidc' };
const down = () => Promise.reject(new BrokerError('identity_provider_unavailable'));
const refused = () => Promise.reject(new BrokerError('invalid_credentials'));
const never = () => new Promise<never>(() => undefined);

describe(ProviderCalls, () => {
  let metrics: Metrics;
  let calls: ProviderCalls;
  beforeEach(() => {
    jest.useFakeTimers();
    metrics = new Metrics(new DomainEvents());
    calls = new ProviderCalls(config, new ProviderCallMetrics(metrics));
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const codeOf = (outcome: Promise<unknown>) =>
    outcome.then(
      () => 'done',
      (error: BrokerError) => error.code,
    );

  it('leaves a provider alone after failures in a row, and tries it again with one sign-in', async () => {
    for (let i = 0; i < 3; i += 1) await codeOf(calls.run(ONE, down));
    let asked = 0;
    const work = () => Promise.resolve((asked += 1));
    await expect(calls.run(ONE, work)).rejects.toMatchObject({
      code: 'identity_provider_unavailable',
      retryAfterSeconds: 10,
    });
    expect(asked).toBe(0);
    jest.setSystemTime(Date.now() + 10_001);
    expect(await codeOf(calls.run(ONE, work))).toBe('done');
    expect(await codeOf(calls.run(ONE, work))).toBe('done');
    expect(asked).toBe(2);
  });

  it('C-10 turns sign-ins away before anything is spent on them, until it is tried again', async () => {
    const refusal = () => codeOf(Promise.resolve().then(() => calls.refuseWhileLeftAlone(ONE)));
    expect(await refusal()).toBe('done');
    for (let i = 0; i < 3; i += 1) await codeOf(calls.run(ONE, down));
    expect(await refusal()).toBe('identity_provider_unavailable');
    expect(() => calls.refuseWhileLeftAlone(TWO)).not.toThrow();
    jest.setSystemTime(Date.now() + 10_001);
    expect(await refusal()).toBe('done');
    // One tries, and others are turned away meanwhile.
    let answer = (): void => undefined;
    const trial = calls.run(ONE, () => new Promise<void>((resolve) => (answer = resolve)));
    await Promise.resolve();
    expect(await refusal()).toBe('identity_provider_unavailable');
    answer();
    await trial;
    expect(await refusal()).toBe('done');
    // Still at fault when it is tried: left alone anew.
    for (let i = 0; i < 3; i += 1) await codeOf(calls.run(ONE, down));
    jest.setSystemTime(Date.now() + 10_001);
    await codeOf(calls.run(ONE, down));
    expect(await refusal()).toBe('identity_provider_unavailable');
    expect(await metrics.text()).toMatch(/calls_total\{kind="http",outcome="left_alone"\} 3/);
  });

  it('takes refused credentials for a sign of health', async () => {
    for (let i = 0; i < 10; i += 1) expect(await codeOf(calls.run(ONE, refused))).toBe('invalid_credentials');
    await codeOf(calls.run(ONE, down));
    await codeOf(calls.run(ONE, down));
    await codeOf(calls.run(ONE, refused));
    await codeOf(calls.run(ONE, down));
    expect(await codeOf(calls.run(ONE, () => Promise.resolve()))).toBe('done');
  });

  it('gives each provider places of its own', async () => {
    for (let i = 0; i < 3; i += 1) void calls.run(ONE, never).catch(() => undefined);
    await Promise.resolve();
    expect(await codeOf(calls.run(ONE, never))).toBe('identity_provider_unavailable');
    expect(await codeOf(calls.run(TWO, () => Promise.resolve()))).toBe('done');
  });

  it('frees the place of a call that was given up', async () => {
    const aborted: boolean[] = [];
    const hang = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => aborted.push(true));
      return never();
    };
    const outcomes = [codeOf(calls.run(ONE, hang)), codeOf(calls.run(ONE, hang))];
    await jest.advanceTimersByTimeAsync(config.signInMilliseconds);
    expect(await Promise.all(outcomes)).toEqual(Array(2).fill('identity_provider_unavailable'));
    expect(aborted).toEqual([true, true]);
    expect(jest.getTimerCount()).toBe(0);
    expect(await codeOf(calls.run(ONE, () => Promise.resolve()))).toBe('done');
  });

  it('counts the time that a call waits for a place, and not against the provider', async () => {
    let asked = 0;
    const hang = () => ((asked += 1), never());
    const outcomes = [];
    for (let i = 0; i < 2; i += 1) outcomes.push(codeOf(calls.run(ONE, hang)));
    await jest.advanceTimersByTimeAsync(config.signInMilliseconds - 1);
    outcomes.push(codeOf(calls.run(ONE, hang)));
    await jest.advanceTimersByTimeAsync(1);
    // The third has a place now, and all but a moment of its time.
    expect(asked).toBe(3);
    await jest.advanceTimersByTimeAsync(config.signInMilliseconds - 1);
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill('identity_provider_unavailable'));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('lets those who still wait go when the provider is given up, and does not ask for them', async () => {
    const some = { ...config, callsWaiting: 20, breakAfterFailures: 2 };
    calls = new ProviderCalls(some, new ProviderCallMetrics(new Metrics(new DomainEvents())));
    let fail: (() => void) | undefined;
    const outage = new Promise<never>((_, reject) => {
      fail = () => reject(new BrokerError('identity_provider_unavailable'));
    });
    let asked = 0;
    const work = () => ((asked += 1), outage);
    const outcomes = Array.from({ length: 22 }, () => codeOf(calls.run(ONE, work)));
    await Promise.resolve();
    fail!();
    expect(await Promise.all(outcomes)).toEqual(Array(22).fill('identity_provider_unavailable'));
    // Those whose turn came while the first failures were still being counted, and no more.
    expect(asked).toBeLessThan(10);
  });

  it('tries a provider again with one call, and has no others wait for that', async () => {
    for (let i = 0; i < 3; i += 1) await codeOf(calls.run(ONE, down));
    jest.setSystemTime(Date.now() + 10_001);
    const trial = codeOf(calls.run(ONE, never));
    await Promise.resolve();
    for (let i = 0; i < 50; i += 1) {
      expect(await codeOf(calls.run(ONE, () => Promise.resolve()))).toBe('identity_provider_unavailable');
    }
    await jest.advanceTimersByTimeAsync(config.signInMilliseconds);
    expect(await trial).toBe('identity_provider_unavailable');
    expect(calls.openBreakers).toBe(1);
  });

  it('counts by kind and outcome, and tells how many providers are left alone', async () => {
    const fault = () => Promise.reject(new Error('of ours'));
    const wrong = () => Promise.reject(new BrokerError('identity_provider_misconfigured'));
    await codeOf(calls.run(TWO, () => Promise.resolve()));
    await codeOf(calls.run(TWO, refused));
    await codeOf(calls.run(TWO, wrong));
    await codeOf(calls.run(TWO, fault));
    for (let i = 0; i < 4; i += 1) await codeOf(calls.run(ONE, down));
    const text = await metrics.text();
    const counted = [...text.matchAll(/^ostiary_identity_provider_calls_total\{(.*)\} (\d+)$/gm)];
    expect(counted.map(([, labels, count]) => `${labels} ${count}`)).toEqual([
      'kind="oidc",outcome="proven" 1',
      'kind="oidc",outcome="refused" 1',
      'kind="oidc",outcome="misconfigured" 1',
      'kind="oidc",outcome="failed" 1',
      'kind="http",outcome="unavailable" 3',
      'kind="http",outcome="left_alone" 1',
    ]);
    expect(text).toMatch(/^ostiary_identity_provider_breakers_open 1$/m);
    expect(text).toMatch(/call_duration_seconds_count\{kind="http",outcome="unavailable"\} 3$/m);
    expect(text).not.toMatch(/call_duration_seconds_count\{kind="http",outcome="left_alone"/);
    jest.setSystemTime(Date.now() + 10_001);
    await codeOf(calls.run(ONE, () => Promise.resolve()));
    expect(await metrics.text()).toMatch(/^ostiary_identity_provider_breakers_open 0$/m);
  });
});
