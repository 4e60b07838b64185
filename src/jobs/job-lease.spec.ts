import { describe, expect, it } from '@jest/globals';
import { isDue, isFree, LEASE_MILLISECONDS, retrySeconds, type JobLease } from './job-lease.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3600;
const lease = (facts: Partial<JobLease>): JobLease => ({
  name: 'job',
  version: 0,
  holder: null,
  leaseExpiresAt: null,
  nextRunAt: NOW,
  cursor: null,
  rowsDone: 0,
  failures: 0,
  lastStartedAt: null,
  lastFinishedAt: null,
  lastSucceededAt: null,
  lastOutcome: null,
  ...facts,
});

describe('a lease', () => {
  it.each([
    ['free while nobody has it', null, null, true],
    ['taken until it runs out', 'a', NOW + 1, false],
    ['free from the moment it runs out', 'a', NOW, true],
    ['taken when a clock a little ahead renewed it', 'a', NOW + 2 * LEASE_MILLISECONDS, false],
    [
      'free when its end is further ahead than anybody sets it: the clock was put back',
      'a',
      NOW + 2 * LEASE_MILLISECONDS + 1,
      true,
    ],
  ])('is %s', (_is, holder, leaseExpiresAt, free) => {
    expect(isFree(lease({ holder, leaseExpiresAt }), NOW)).toBe(free);
  });
});

describe('a pass', () => {
  it.each([
    ['due at its time', NOW, true],
    ['not due before', NOW + 1, false],
    ['not due a whole turn before', NOW + HOUR * 1000, false],
    ['due when its time is further off than a turn: the clock was put back', NOW + HOUR * 1000 + 1, true],
  ])('is %s', (_is, nextRunAt, due) => {
    expect(isDue(lease({ nextRunAt }), HOUR, NOW)).toBe(due);
  });

  it.each([
    [1, 30],
    [2, 60],
    [5, 480],
    [8, HOUR],
    [2000, HOUR],
  ])('after %i failures waits %i seconds, its own turn at most', (failures, seconds) => {
    expect(retrySeconds(failures, HOUR)).toBe(seconds);
  });
});
