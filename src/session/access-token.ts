import { hash } from 'node:crypto';
import { randomToken } from '../secrets/secrets.js';

export const ACCESS_TOKEN_PREFIX = 'osta_';
export const TOKEN_BYTES = 32;

/**
 * A fresh access token: 256 random bits behind a prefix that says whose it is (for secret scanners) and never begins
 * with `-` (some chat servers read such a password as an option). `[A-Za-z0-9_-]`, 48 characters.
 */
export function newAccessToken(): string {
  return ACCESS_TOKEN_PREFIX + randomToken(TOKEN_BYTES);
}

const SHAPE = new RegExp(`^${ACCESS_TOKEN_PREFIX}[A-Za-z0-9_-]{43}$`);

/** Whether a text has the shape of an access token, whoever made it. */
export function hasAccessTokenShape(text: string): boolean {
  return SHAPE.test(text);
}

/**
 * What is stored of a token and looked up by: SHA-256 in base64url. A token has full entropy, so no salt and no slow
 * hash is needed; and the time of a look-up tells about the hash, which nobody can steer.
 */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'base64url');
}
