import { hash } from 'node:crypto';
import { randomToken } from '../../secrets/secrets.js';

/** Says whose the secret is, for secret scanners, and keeps it from being taken for a session token or an admin key. */
const PREFIX = 'oscc_';
const SECRET_BYTES = 32;
const SECRET = /^oscc_[A-Za-z0-9_-]{43}$/;

/** A fresh secret: 256 random bits, `[A-Za-z0-9_-]`, 48 characters; it needs no encoding in a path. */
export function newChatClientSecret(): string {
  return PREFIX + randomToken(SECRET_BYTES);
}

export function isChatClientSecret(text: string): boolean {
  return SECRET.test(text);
}

/** A secret has full entropy: no salt and no slow hash is needed, and the time of a look-up tells nothing of use. */
export function chatClientSecretHash(secret: string): string {
  return hash('sha256', secret, 'base64url');
}
