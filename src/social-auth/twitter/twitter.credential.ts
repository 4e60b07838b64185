import { z } from 'zod';
import type { TwitterOptions } from './twitter.options.js';

/**
 * Nothing that X could fail to read: a header too long or half a character, answered by no X but by what stands before
 * it, would look like trouble there, and enough of it would have X left alone for everybody.
 */
const text = z.string().regex(/^[\x20-\x7e]{1,512}$/);

const oauth1Token = z.strictObject({ oauth_token: text, oauth_token_secret: text });

const oauth2Code = z.strictObject({
  code: text,
  /** RFC 7636 §4.1. */
  code_verifier: z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/),
  redirect_uri: z.string().min(1).max(2048),
});

export type OAuth1Token = z.infer<typeof oauth1Token>;
export type OAuth2Code = z.infer<typeof oauth2Code>;
export type TwitterCredential = OAuth1Token | OAuth2Code;

/**
 * What the keys in these options can check. A bare OAuth 2 access token is not among it: X tells who it is for, but
 * not whose app it was issued to, so the token that any other app was given would sign in here.
 */
export function credentialSchemaFor({
  consumer_key,
  client_id,
}: TwitterOptions): z.ZodType<TwitterCredential> {
  if (client_id === undefined) return oauth1Token;
  if (consumer_key === undefined) return oauth2Code;
  return z.union([oauth1Token, oauth2Code]);
}
