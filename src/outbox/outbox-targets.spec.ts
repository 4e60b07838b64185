import { describe, expect, it } from '@jest/globals';
import { OutboxTargets } from './outbox-targets.js';

const NOW = Date.UTC(2026, 0, 1);

describe(OutboxTargets.name, () => {
  it('lets four deliveries to a target go on at once, whatever others do', () => {
    const targets = new OutboxTargets();
    for (let i = 0; i < 4; i += 1) targets.begin('a');
    expect([targets.room('a', NOW), targets.room('b', NOW)]).toEqual([0, 4]);
    targets.end('a');
    expect(targets.room('a', NOW)).toBe(1);
  });

  it('leaves a target alone that is at fault, longer each time, five seconds at most, and then tries one', () => {
    const targets = new OutboxTargets();
    for (const rest of [500, 1000, 2000, 4000, 5000, 5000]) {
      targets.failed('a', NOW);
      expect([targets.room('a', NOW + rest - 1), targets.room('a', NOW + rest)]).toEqual([0, 1]);
    }
    targets.begin('a');
    expect(targets.room('a', NOW + 5000)).toBe(0);
  });

  it('tries a target whose rest was counted by a clock that was put back', () => {
    const targets = new OutboxTargets();
    targets.failed('a', NOW);
    expect(targets.room('a', NOW - 3_600_000)).toBe(1);
  });

  it('says that a target is back until those that failed meanwhile have been hastened', () => {
    const targets = new OutboxTargets();
    targets.begin('a');
    targets.succeeded('a');
    expect(targets.isBack('a')).toBe(false);
    targets.failed('a', NOW);
    targets.succeeded('a');
    expect([targets.isBack('a'), targets.room('a', NOW)]).toEqual([true, 3]);
    targets.hastened('a');
    expect(targets.isBack('a')).toBe(false);
  });
});
