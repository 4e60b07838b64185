import { createHmac, randomUUID } from 'node:crypto';

const SECRET = /^(?:whsec_)?([A-Za-z0-9+/]+={0,2})$/;
const MIN_BYTES = 24;
const MAX_BYTES = 64;

/** The key that a setting has as base64, with or without the specification's prefix; null where it is none. */
export function signingKey(text: string): Buffer | null {
  const key = Buffer.from(SECRET.exec(text)?.[1] ?? '', 'base64');
  return key.length >= MIN_BYTES && key.length <= MAX_BYTES ? key : null;
}

/**
 * Shows who is called that a call is ours, is of now, and is not one that they have seen (C-19): Standard Webhooks 1.0.
 *
 * @param payload the body as it is sent; of requests without one the path and the query as they are sent.
 * @param id the same one where the same thing is told again; a new one where none is given.
 */
export function signatureHeaders(
  key: Buffer,
  payload: string,
  now: number,
  id: string = randomUUID(),
): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.${payload}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
}
