import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { BrokerError } from '../errors/broker-error.js';
import { ProviderCalls } from './provider-calls.js';

const config = {
  signInMilliseconds: 10_000,
  callsAtOnce: 2,
  callsWaiting: 1,
  breakAfterFailures: 3,
  breakSeconds: 10,
  insecureFirebaseEmulatorInProduction: false,
};
const down = () => Promise.reject(new BrokerError('identity_provider_unavailable'));
const refused = () => Promise.reject(new BrokerError('invalid_credentials'));
const never = () => new Promise<never>(() => undefined);

describe(ProviderCalls, () => {
  let calls: ProviderCalls;
  beforeEach(() => {
    jest.useFakeTimers();
    calls = new ProviderCalls(config);
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
    for (let i = 0; i < 3; i += 1) await codeOf(calls.run(1, down));
    let asked = 0;
    const work = () => Promise.resolve((asked += 1));
    await expect(calls.run(1, work)).rejects.toMatchObject({
      code: 'identity_provider_unavailable',
      retryAfterSeconds: 10,
    });
    expect(asked).toBe(0);
    jest.setSystemTime(Date.now() + 10_001);
    expect(await codeOf(calls.run(1, work))).toBe('done');
    expect(await codeOf(calls.run(1, work))).toBe('done');
    expect(asked).toBe(2);
  });

  it('takes refused credentials for a sign of health', async () => {
    for (let i = 0; i < 10; i += 1) expect(await codeOf(calls.run(1, refused))).toBe('invalid_credentials');
    await codeOf(calls.run(1, down));
    await codeOf(calls.run(1, down));
    await codeOf(calls.run(1, refused));
    await codeOf(calls.run(1, down));
    expect(await codeOf(calls.run(1, () => Promise.resolve()))).toBe('done');
  });

  it('gives each provider places of its own', async () => {
    for (let i = 0; i < 3; i += 1) void calls.run(1, never).catch(() => undefined);
    await Promise.resolve();
    expect(await codeOf(calls.run(1, never))).toBe('identity_provider_unavailable');
    expect(await codeOf(calls.run(2, () => Promise.resolve()))).toBe('done');
  });

  it('frees the place of a call that was given up', async () => {
    const aborted: boolean[] = [];
    const hang = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => aborted.push(true));
      return never();
    };
    const outcomes = [codeOf(calls.run(1, hang)), codeOf(calls.run(1, hang)), codeOf(calls.run(1, hang))];
    // The third one has a place, and its time, when the first two have given up.
    await jest.advanceTimersByTimeAsync(config.signInMilliseconds);
    await jest.advanceTimersByTimeAsync(config.signInMilliseconds);
    expect(await Promise.all(outcomes)).toEqual([
      'identity_provider_unavailable',
      'identity_provider_unavailable',
      'identity_provider_unavailable',
    ]);
    expect(aborted).toEqual([true, true, true]);
    expect(jest.getTimerCount()).toBe(0);
    jest.setSystemTime(Date.now() + 10_001);
    expect(await codeOf(calls.run(1, () => Promise.resolve()))).toBe('done');
  });
});
