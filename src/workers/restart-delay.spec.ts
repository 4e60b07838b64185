import { describe, expect, it } from '@jest/globals';
import { restartDelayMilliseconds } from './restart-delay.js';

describe('restartDelayMilliseconds', () => {
  it('replaces at once the first time, then waits longer and longer, but never above half a minute', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 5000].map(restartDelayMilliseconds);
    expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });
});
