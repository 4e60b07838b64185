import { randomToken } from '../../secrets/secrets.js';
import { ACCESS_TOKEN_PREFIX, TOKEN_BYTES } from '../access-token.js';

const REFRESH_TOKEN_PREFIX = 'ostr_';

/** The first refresh token of a session: 256 random bits. Its successors are derived. */
export function newRefreshToken(): string {
  return REFRESH_TOKEN_PREFIX + randomToken(TOKEN_BYTES);
}

/** Whether a text can be a refresh token at all; what cannot is not looked up. */
export function isRefreshToken(text: string): boolean {
  return /^ostr_[A-Za-z0-9_-]{43}$/.test(text);
}

/** What a refresh token is traded for. */
export interface Successor {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** `Secrets.macs`: 256-bit values of a text, one for each server key in force, the current key's first. */
export type Macs = (purpose: string, text: string) => readonly string[];

/**
 * The successors of a refresh token, one for each server key in force, the current key's first.
 *
 * Derived and not random, so that every process arrives at the same ones without having stored them: an answer that
 * got lost can be given again, and one token never has two successors. Nobody can derive them without the server key.
 */
export function successorsOf(refreshToken: string, macs: Macs): Successor[] {
  const accessTokens = macs('access token', refreshToken);
  const refreshTokens = macs('refresh token', refreshToken);
  return accessTokens.map((mac, i) => ({
    accessToken: ACCESS_TOKEN_PREFIX + mac,
    refreshToken: REFRESH_TOKEN_PREFIX + refreshTokens[i]!,
  }));
}
