import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '../../test/support/manual-clock.js';
import { BrokerError } from '../errors/broker-error.js';
import type { VerifiedIdentity } from '../identity/verified-identity.js';
import { AnswerCache } from './answer-cache.js';

const ada = { subject: 'ada' } as VerifiedIdentity;

describe(AnswerCache, () => {
  const clock = new ManualClock();
  const cacheOf = (refusedSeconds: number, provenSeconds: number) =>
    AnswerCache.of({ refusedSeconds, provenSeconds }, clock)!;
  /** A provider that answers as it is told, and counts. */
  const provider = (answer: VerifiedIdentity | BrokerError) => {
    const asked = { count: 0 };
    const ask = () => {
      asked.count += 1;
      return answer instanceof BrokerError ? Promise.reject(answer) : Promise.resolve(answer);
    };
    return { asked, ask };
  };
  const codeOf = (outcome: Promise<unknown>) =>
    outcome.then(
      () => 'accepted',
      (error: BrokerError) => error.code,
    );

  it('is none where nothing is to be remembered, which is the default', () => {
    expect(AnswerCache.of({ refusedSeconds: 0, provenSeconds: 0 }, clock)).toBeNull();
  });

  it('C-15 remembers a refusal as long as it was told, for that credential alone', async () => {
    const cache = cacheOf(30, 0);
    const { ask, asked } = provider(new BrokerError('invalid_credentials'));
    const refuse = (token: string) => codeOf(cache.answer({ token }, ask));
    expect([await refuse('a'), await refuse('a'), asked.count]).toEqual([
      'invalid_credentials',
      'invalid_credentials',
      1,
    ]);
    await refuse('b');
    expect(asked.count).toBe(2);
    clock.advance({ milliseconds: 29_999 });
    await refuse('a');
    expect(asked.count).toBe(2);
    clock.advance({ milliseconds: 2 });
    await refuse('a');
    expect(asked.count).toBe(3);
  });

  it.each(['identity_provider_unavailable', 'identity_provider_misconfigured', 'too_many_requests'] as const)(
    'C-15 never takes %s for a refusal',
    async (code) => {
      const cache = cacheOf(30, 30);
      const failing = provider(new BrokerError(code));
      expect(await codeOf(cache.answer({ token: 'a' }, failing.ask))).toBe(code);
      expect(await cache.answer({ token: 'a' }, provider(ada).ask)).toBe(ada);
    },
  );

  it('C-16 keeps a bounded number of refusals, whoever floods it', async () => {
    const cache = cacheOf(300, 0);
    const { ask, asked } = provider(new BrokerError('invalid_credentials'));
    for (let i = 0; i < 10_001; i += 1) await codeOf(cache.answer({ token: `${i}` }, ask));
    await codeOf(cache.answer({ token: '10000' }, ask));
    expect(asked.count).toBe(10_001);
    // The oldest has gone.
    await codeOf(cache.answer({ token: '0' }, ask));
    expect(asked.count).toBe(10_002);
  });

  it('C-17 accepts what was accepted for the configured seconds and no longer', async () => {
    const cache = cacheOf(0, 10);
    const { ask, asked } = provider(ada);
    for (let i = 0; i < 3; i += 1) expect(await cache.answer({ token: 'a' }, ask)).toBe(ada);
    expect(asked.count).toBe(1);
    clock.advance({ milliseconds: 10_001 });
    const revoked = provider(new BrokerError('invalid_credentials'));
    expect(await codeOf(cache.answer({ token: 'a' }, revoked.ask))).toBe('invalid_credentials');
  });

  it('never remembers as good what may be used once', async () => {
    const cache = cacheOf(0, 10);
    const { ask, asked } = provider({ ...ada, oneTime: { id: 'x', expiresAt: new Date() } });
    await cache.answer({ token: 'a' }, ask);
    await cache.answer({ token: 'a' }, ask);
    expect(asked.count).toBe(2);
  });

  it('tells credentials apart by every member, and not by their order', async () => {
    const cache = cacheOf(0, 10);
    const { ask, asked } = provider(ada);
    await cache.answer({ login: 'a', password: 'b' }, ask);
    await cache.answer({ password: 'b', login: 'a' }, ask);
    expect(asked.count).toBe(1);
    await cache.answer({ login: 'b', password: 'a' }, ask);
    await cache.answer({ login: 'a' }, ask);
    expect(asked.count).toBe(3);
  });
});
