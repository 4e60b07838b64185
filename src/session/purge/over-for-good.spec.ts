import { describe, expect, it } from '@jest/globals';
import {
  applicationSettingsSchema,
  type ApplicationSettings,
} from '../../applications/application-settings.js';
import { isOverForGood } from './over-for-good.js';
import { GUEST_PROVIDER, sessionEnd, type Session } from '../session.js';

const NOW = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const aSession = (facts: Partial<Session> = {}): Session => ({
  id: 100,
  applicationId: 1,
  kind: 'user',
  userId: 7,
  provider: 'password',
  amr: ['pwd'],
  authTime: NOW,
  tokenHash: 'hash',
  createdAt: NOW,
  startedAt: NOW,
  lastUsedAt: NOW,
  idleSeconds: 7200,
  absoluteExpiresAt: NOW + 30 * DAY,
  ...facts,
});

interface Facts {
  readonly session?: Partial<Session>;
  readonly endedAt?: number;
  readonly settings?: Partial<ApplicationSettings>;
  readonly mark?: number;
  readonly refreshable?: boolean;
}

const overAt = ({ session, endedAt, settings, mark = 0, refreshable = false }: Facts, asOf: number) =>
  isOverForGood(
    { session: aSession(session), endedAt: endedAt ?? null },
    { settings: applicationSettingsSchema.parse(settings ?? {}), sessionsEndedUpTo: mark },
    refreshable,
    asOf,
  );

/** Two hours, and the step of recorded uses, which is a minute. */
const IDLE_END = NOW + 2 * HOUR + 60_000;

describe(isOverForGood.name, () => {
  it.each<[string, Facts, number | null]>([
    ['used and not over', {}, IDLE_END],
    ['without an idle limit', { session: { idleSeconds: null } }, NOW + 30 * DAY],
    ['without any limit', { session: { idleSeconds: null, absoluteExpiresAt: null } }, null],
    ['ended by somebody', { endedAt: NOW + 5 }, NOW + 5],
    ['ended by somebody, with a refresh token', { endedAt: NOW + 5, refreshable: true }, NOW + 5],
    ['below the mark of its application', { mark: 100 }, NOW],
    ['below the mark, with a refresh token', { mark: 100, refreshable: true }, NOW],
    ['just above the mark', { mark: 99 }, IDLE_END],
    ['idle, with a refresh token', { refreshable: true }, NOW + 30 * DAY],
    [
      'idle, with a refresh token and an absolute limit that was tightened',
      { refreshable: true, settings: { session_absolute_seconds: 86_400 } },
      NOW + DAY,
    ],
    [
      'idle, with a refresh token and no absolute end',
      { refreshable: true, session: { absoluteExpiresAt: null, lastUsedAt: NOW + HOUR } },
      NOW + HOUR + 30 * DAY,
    ],
    [
      'under an idle limit that was tightened',
      { settings: { session_idle_seconds: 60 } },
      NOW + 60_000 + 600,
    ],
    ['under an idle limit that was loosened', { settings: { session_idle_seconds: 72_000 } }, IDLE_END],
    [
      "a guest's",
      { session: { provider: GUEST_PROVIDER, idleSeconds: 30 * 86_400, absoluteExpiresAt: null } },
      NOW + 30 * DAY + 60_000,
    ],
    [
      "a guest's, under a tightened guest_idle_days",
      {
        session: { provider: GUEST_PROVIDER, idleSeconds: 30 * 86_400, absoluteExpiresAt: null },
        settings: { guest_idle_days: 1 },
      },
      NOW + DAY + 60_000,
    ],
  ])('a session %s is over for good from that instant on, not before', (_is, facts, from) => {
    if (from === null) return expect(overAt(facts, NOW + 3650 * DAY)).toBe(false);
    expect([overAt(facts, from - 1), overAt(facts, from)]).toEqual([false, true]);
  });

  it('never holds for a session that the check would still accept', () => {
    for (const idleSeconds of [null, 1, 60, 7200]) {
      for (const absoluteExpiresAt of [null, NOW + 1, NOW + DAY]) {
        for (const step of [0, 1, 999, 1010, 60_000, 60_600, IDLE_END - NOW, DAY, 60 * DAY]) {
          const session = { idleSeconds, absoluteExpiresAt };
          const lives =
            sessionEnd(aSession(session), applicationSettingsSchema.parse({}), NOW + step) === null;
          expect(lives && overAt({ session }, NOW + step)).toBe(false);
        }
      }
    }
  });
});
