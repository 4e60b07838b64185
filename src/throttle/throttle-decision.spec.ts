import { describe, expect, it } from '@jest/globals';
import { secondsToWait, type ThrottleState } from './throttle-decision.js';

const NOW = 1_000_000;
const state = (facts: Partial<ThrottleState>): ThrottleState => ({
  count: 0,
  windowEndsAt: NOW + 60_000,
  pausedUntil: 0,
  inFlight: 0,
  ...facts,
});

describe('secondsToWait', () => {
  const pausing = { limit: 3, windowSeconds: 600, pauseSeconds: 60 };
  it.each<[string, Partial<ThrottleState>, number | null]>([
    ['lets the first try begin', {}, null],
    ['lets tries begin below the limit', { count: 2 }, null],
    ['counts tries under way', { count: 1, inFlight: 2 }, 1],
    ['refuses while a pause lasts', { count: 3, pausedUntil: NOW + 30_000 }, 30],
    [
      'lets one try begin once the pause is over, though the window lasts',
      { count: 3, pausedUntil: NOW },
      null,
    ],
    ['lets no second one begin beside it', { count: 3, pausedUntil: NOW, inFlight: 1 }, 1],
    ['forgets the count when the window is over', { count: 99, windowEndsAt: NOW }, null],
  ])('with a pause, %s', (_, facts, wait) => {
    expect(secondsToWait(state(facts), pausing, NOW, 1)).toBe(wait);
  });

  const plain = { limit: 3, windowSeconds: 600, pauseSeconds: 0 };
  it.each<[string, Partial<ThrottleState>, number | null]>([
    ['lets tries begin below the limit', { count: 2 }, null],
    ['counts tries under way', { count: 2, inFlight: 1 }, 60],
    ['refuses until the window is over', { count: 3 }, 60],
    ['opens with the next window', { count: 3, windowEndsAt: NOW }, null],
  ])('without a pause, %s', (_, facts, wait) => {
    expect(secondsToWait(state(facts), plain, NOW, 1)).toBe(wait);
  });

  it.each([
    {
      rule: pausing,
      inFlight: 1,
      wait: 1,
      text: 'with a pause, takes other processes to have as many under way',
    },
    {
      rule: pausing,
      inFlight: 0,
      wait: null,
      text: 'with a pause, lets each of many processes have one try',
    },
    { rule: plain, inFlight: 1, wait: null, text: 'without a pause, counts only its own tries under way' },
  ])('$text', ({ rule, inFlight, wait }) => {
    expect(secondsToWait(state({ count: 1, inFlight }), rule, NOW, 8)).toBe(wait);
  });
});
