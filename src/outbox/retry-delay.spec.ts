import { describe, expect, it } from '@jest/globals';
import { retryDelay } from './retry-delay.js';

describe(retryDelay.name, () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [9, 256_000],
    [10, 300_000],
    [5000, 300_000],
  ])('is at most, after %i failures, %i milliseconds', (attempts, milliseconds) => {
    expect(retryDelay(attempts, 0)).toBe(milliseconds);
  });

  it('is shortened by chance to a half at least, so that what failed together comes back apart', () => {
    expect([retryDelay(4, 1), retryDelay(4, 0.5)]).toEqual([4000, 6000]);
  });
});
