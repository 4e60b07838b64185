import { z } from 'zod';

const MAX_URL_CHARACTERS = 2048;

/** Plain HTTP is for stand-ins on this machine: elsewhere it would show tokens and secrets to everybody on the way. */
export const providerUrl = z
  .string()
  .max(MAX_URL_CHARACTERS)
  .refine(isProviderUrl, 'must be an https URL without user information and fragment');

/** Whether something may be asked of this address: https, or a stand-in on this machine. */
export function isProviderUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hash } = new URL(text);
  const isPlain = username === '' && password === '' && hash === '';
  return isPlain && (protocol === 'https:' || isLoopbackHttp(text));
}

/** Whether it is plain HTTP to this machine. */
export function isLoopbackHttp(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'http:' && /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname);
}
