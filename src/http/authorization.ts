import { BrokerError } from '../errors/broker-error.js';

/** Tokens have at most 255 characters (the SDKs' limit); anything longer was never issued. */
const MAX_TOKEN_LENGTH = 255;

/** RFC 6750 §2.1 with the alphabet that our tokens use. */
const TOKEN = /^[A-Za-z0-9._~-]+$/;

export type Authorization =
  | { readonly scheme: 'bearer'; readonly token: string }
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string };

/**
 * The token of an `Authorization: Bearer` header.
 *
 * @throws BrokerError `authentication_required` without such a header, `session_ended` when the value cannot be one
 *   of ours (unknown and malformed are one answer).
 */
export function bearerToken(header: string | undefined): string {
  const token = bearerValue(header);
  if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token)) throw new BrokerError('session_ended');
  return token;
}

/** Whatever an `Authorization: Bearer` header holds. @throws BrokerError `authentication_required` without one. */
export function bearerValue(header: string | undefined): string {
  if (header === undefined || header.length < 7 || header.slice(0, 7).toLowerCase() !== 'bearer ') {
    throw new BrokerError('authentication_required');
  }
  return header.slice(7).trim();
}

/**
 * Either kind of credentials.
 *
 * @returns null without a header. @throws BrokerError `authentication_required` for a scheme that is neither,
 *   `invalid_client` for Basic credentials that are malformed (RFC 7617 §2).
 */
export function parseAuthorization(header: string | undefined): Authorization | null {
  if (header === undefined) return null;
  if (header.slice(0, 6).toLowerCase() !== 'basic ') return { scheme: 'bearer', token: bearerToken(header) };
  const decoded = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (colon < 1) throw new BrokerError('invalid_client');
  return { scheme: 'basic', user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
