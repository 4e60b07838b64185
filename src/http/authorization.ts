import { BrokerError } from '../errors/broker-error.js';

/** Tokens have at most 255 characters (the SDKs' limit); anything longer was never issued. */
const MAX_TOKEN_LENGTH = 255;

/** RFC 6750 §2.1 with the alphabet that our tokens use. */
const TOKEN = /^[A-Za-z0-9._~-]+$/;

export interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

export type Authorization =
  { readonly scheme: 'bearer'; readonly token: string } | ({ readonly scheme: 'basic' } & BasicCredentials);

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
  const value = readBearer(header);
  if (value === null) throw new BrokerError('authentication_required');
  return value;
}

/** Whatever an `Authorization: Bearer` header holds (RFC 6750 §2.1); null without one. */
export function readBearer(header: string | undefined): string | null {
  return header?.slice(0, 7).toLowerCase() === 'bearer ' ? header.slice(7).trim() : null;
}

/** What an `Authorization: Basic` header holds (RFC 7617 §2); null without one, or when it cannot be read. */
export function readBasic(header: string | undefined): BasicCredentials | null {
  if (header === undefined || !isBasic(header)) return null;
  const decoded = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 1 ? null : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/**
 * Either kind of credentials.
 *
 * @returns null without a header. @throws BrokerError `authentication_required` for a scheme that is neither,
 *   `invalid_client` for Basic credentials that are malformed (RFC 7617 §2).
 */
export function parseAuthorization(header: string | undefined): Authorization | null {
  if (header === undefined) return null;
  if (!isBasic(header)) return { scheme: 'bearer', token: bearerToken(header) };
  const credentials = readBasic(header);
  if (credentials === null) throw new BrokerError('invalid_client');
  return { scheme: 'basic', ...credentials };
}

function isBasic(header: string): boolean {
  return header.slice(0, 6).toLowerCase() === 'basic ';
}
