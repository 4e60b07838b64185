import { describe, expect, it } from '@jest/globals';
import { applicationSettingsSchema } from '../applications/application-settings.js';
import { absoluteEnd, expiresAt, limitsAtIssue, sessionEnd, touchStep, type Session } from './session.js';

const settings = applicationSettingsSchema.parse({});
const with_ = (changes: object) => applicationSettingsSchema.parse(changes);
const BEGAN = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const aSession = (facts: Partial<Session> = {}): Session => ({
  id: 1,
  applicationId: 1,
  kind: 'user',
  userId: 1,
  provider: 'password',
  amr: ['pwd'],
  authTime: BEGAN,
  tokenHash: 'x',
  createdAt: BEGAN,
  startedAt: BEGAN,
  lastUsedAt: BEGAN,
  idleSeconds: 7200,
  absoluteExpiresAt: BEGAN + 30 * DAY,
  ...facts,
});

describe('touchStep', () => {
  it.each([
    [7200, 60_000],
    [6000, 60_000],
    [600, 6000],
    [1, 10],
  ])('is for %d s of idling %d ms', (idleSeconds, step) => {
    expect(touchStep(idleSeconds)).toBe(step);
  });
});

describe('sessionEnd', () => {
  const guest = { provider: 'guest', idleSeconds: 30 * 86400, absoluteExpiresAt: null };
  it.each<[string, Partial<Session>, object, number, 'idle' | 'absolute' | null]>([
    ['lives when just used', {}, {}, 0, null],
    ['lives up to its idle limit', {}, {}, 2 * HOUR, null],
    [
      'lives for one touch step more, in which a use may have gone unrecorded',
      {},
      {},
      2 * HOUR + 59_999,
      null,
    ],
    ['is over after that', {}, {}, 2 * HOUR + 60_000, 'idle'],
    [
      'is over at its absolute end, to the millisecond',
      { lastUsedAt: BEGAN + 30 * DAY },
      {},
      30 * DAY,
      'absolute',
    ],
    ['lives just before its absolute end', { lastUsedAt: BEGAN + 30 * DAY }, {}, 30 * DAY - 1, null],
    [
      'obeys an idle limit that the application has made shorter',
      {},
      { session_idle_seconds: 600 },
      606_000,
      'idle',
    ],
    [
      'ignores an idle limit that the application has made longer',
      {},
      { session_idle_seconds: 86400 },
      3 * HOUR,
      'idle',
    ],
    [
      'obeys an absolute limit that the application has made shorter',
      { lastUsedAt: BEGAN + DAY },
      { session_absolute_seconds: 86400 },
      DAY,
      'absolute',
    ],
    ['never idles without an idle limit', { idleSeconds: null }, {}, 29 * DAY, null],
    [
      'never ages without an absolute end',
      { idleSeconds: null, absoluteExpiresAt: null },
      {},
      4000 * DAY,
      null,
    ],
    ['lets a guest idle longer than a session may', guest, {}, 29 * DAY, null],
    ['ends a guest who idled for guest_idle_days', guest, {}, 30 * DAY + 60_000, 'idle'],
    ['obeys guest_idle_days when it has become shorter', guest, { guest_idle_days: 1 }, DAY + 60_000, 'idle'],
    ['does not hold a guest to the limits of sessions', guest, { session_absolute_seconds: 1 }, DAY, null],
  ])('%s', (_, facts, changes, after, end) => {
    expect(sessionEnd(aSession(facts), with_(changes), BEGAN + after)).toBe(end);
  });
});

describe('expiresAt', () => {
  it('is the idle limit from the use on', () => {
    expect(expiresAt(aSession(), settings, BEGAN + HOUR)).toBe(BEGAN + 3 * HOUR);
  });

  it('is never later than the absolute end', () => {
    expect(expiresAt(aSession(), settings, BEGAN + 30 * DAY - HOUR)).toBe(BEGAN + 30 * DAY);
  });

  it('is null for a session that does not end by itself', () => {
    expect(expiresAt(aSession({ idleSeconds: null, absoluteExpiresAt: null }), settings, BEGAN)).toBeNull();
  });

  it('promises no more than is kept: at that moment a session used before it still lives', () => {
    const lastRecordedUse = BEGAN;
    const actualUse = BEGAN + touchStep(7200) - 1;
    const promised = expiresAt(aSession(), settings, actualUse)!;
    expect(sessionEnd(aSession({ lastUsedAt: lastRecordedUse }), settings, promised - 1)).toBeNull();
  });
});

describe('limitsAtIssue', () => {
  it('gives a session those of the application', () => {
    expect(limitsAtIssue(settings, 'password', BEGAN)).toEqual({
      idleSeconds: 7200,
      absoluteExpiresAt: BEGAN + 30 * DAY,
    });
  });

  it('gives a guest, who cannot sign in again, idle days and no absolute end', () => {
    expect(limitsAtIssue(settings, 'guest', BEGAN)).toEqual({
      idleSeconds: 30 * 86400,
      absoluteExpiresAt: null,
    });
  });
});

describe('absoluteEnd', () => {
  it('never moves later than it was at issue', () => {
    expect(absoluteEnd(aSession(), with_({ session_absolute_seconds: 90 * 86400 }))).toBe(BEGAN + 30 * DAY);
  });
});
