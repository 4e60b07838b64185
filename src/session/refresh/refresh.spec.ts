import { describe, expect, it } from '@jest/globals';
import { applicationSettingsSchema } from '../../applications/application-settings.js';
import { decideRefresh, refreshEnd, type RefreshDecision, type StoredRefreshToken } from './refresh.js';
import { isRefreshToken, newRefreshToken, successorsOf } from './refresh-token.js';
import type { Session } from '../session.js';

const settings = (changes: object = {}) =>
  applicationSettingsSchema.parse({ refresh_tokens: true, ...changes });
const BEGAN = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const NOW = BEGAN + DAY;

const aSession = (facts: Partial<Session> = {}): Session => ({
  id: 5,
  applicationId: 1,
  kind: 'user',
  userId: 1,
  provider: 'password',
  amr: ['pwd'],
  authTime: BEGAN,
  tokenHash: 'present',
  createdAt: BEGAN,
  startedAt: BEGAN,
  lastUsedAt: BEGAN,
  idleSeconds: 7200,
  absoluteExpiresAt: BEGAN + 30 * DAY,
  ...facts,
});
const aToken = ({
  session,
  ...facts
}: Partial<Omit<StoredRefreshToken, 'session'>> & {
  session?: Partial<Session>;
} = {}): StoredRefreshToken => ({
  accessTokenHash: 'present',
  usedAt: null,
  isRevoked: false,
  session: aSession(session),
  ...facts,
});

describe('decideRefresh', () => {
  it.each<[string, StoredRefreshToken, RefreshDecision]>([
    ['rotates a token that nobody has used, though the session idled out long ago', aToken(), 'rotate'],
    ['repeats for one used just now', aToken({ usedAt: NOW }), 'repeat'],
    ['repeats at the end of the grace window', aToken({ usedAt: NOW - 10_000 }), 'repeat'],
    ['takes one used before that for a replay', aToken({ usedAt: NOW - 10_001 }), 'replayed'],
    ['repeats for one that a process with a faster clock used', aToken({ usedAt: NOW + 500 }), 'repeat'],
    [
      'refuses one whose session was given another token by a sign-in',
      aToken({ accessTokenHash: 'former' }),
      'revoked',
    ],
    ['refuses one whose session somebody ended', aToken({ isRevoked: true }), 'revoked'],
    ['and does not call that a replay', aToken({ isRevoked: true, usedAt: BEGAN }), 'revoked'],
    ['refuses one whose session was signed out', aToken({ session: { kind: 'application' } }), 'revoked'],
    [
      'refuses one whose session is below the mark of its application',
      aToken({ session: { id: 4 } }),
      'revoked',
    ],
    [
      'refuses one at the absolute end',
      aToken({ session: { absoluteExpiresAt: NOW, lastUsedAt: NOW - 1 } }),
      'expired',
    ],
    ['rotates one just before it', aToken({ session: { absoluteExpiresAt: NOW + 1 } }), 'rotate'],
  ])('%s', (_, stored, decision) => {
    expect(decideRefresh(stored, settings(), 4, NOW)).toBe(decision);
  });

  it('refuses all once the application has them no more', () => {
    expect(decideRefresh(aToken(), settings({ refresh_tokens: false }), 0, NOW)).toBe('revoked');
  });

  it('obeys an absolute limit that the application has made shorter', () => {
    expect(decideRefresh(aToken(), settings({ session_absolute_seconds: 3600 }), 0, NOW)).toBe('expired');
  });
});

describe('refreshEnd', () => {
  it('is for a guest as long after the last use as others live at most', () => {
    const guest = aSession({ provider: 'guest', absoluteExpiresAt: null, lastUsedAt: NOW });
    expect(refreshEnd(guest, settings({ session_absolute_seconds: 60 }))).toBe(NOW + 60_000);
  });
});

describe('successorsOf', () => {
  const macs = (purpose: string, text: string) => ['k1', 'k2'].map((key) => `${key}:${purpose}:${text}`);

  it('gives each key its own, the current one first, and no two tokens alike', () => {
    const [first, second] = successorsOf('ostr_x', macs);
    expect(first).toEqual({
      accessToken: 'osta_k1:access token:ostr_x',
      refreshToken: 'ostr_k1:refresh token:ostr_x',
    });
    expect(second!.accessToken).toContain('k2');
  });
});

describe('newRefreshToken', () => {
  it('has 256 random bits behind a prefix, and is told from everything else', () => {
    const token = newRefreshToken();
    expect(token).toMatch(/^ostr_[A-Za-z0-9_-]{43}$/);
    expect(isRefreshToken(token)).toBe(true);
    for (const other of [token.replace('ostr', 'osta'), `${token}a`, token.slice(0, -1), '', `${token}\n`]) {
      expect(isRefreshToken(other)).toBe(false);
    }
  });
});
