import { z } from 'zod';

const key = z.string().min(1).max(512);

/** An origin, https unless it is a stand-in on this machine: a consumer key's tokens would travel in the clear. */
const apiUrl = z
  .string()
  .max(2048)
  .refine(isApiUrl, 'an https origin without a path, a query or user information')
  .default('https://api.x.com');

/**
 * The keys of one app at X: OAuth 1.0a (for tokens of X's SDKs, and the redirect in a browser), OAuth 2 (for codes
 * that the app hands in), or both.
 */
export const twitterOptionsSchema = z
  .strictObject({
    consumer_key: key.optional(),
    consumer_secret: key.optional(),
    client_id: key.optional(),
    /** Only where X calls the app confidential. */
    client_secret: key.optional(),
    /** The redirect URIs that the app asks for codes with. Compared as text, as X does. */
    redirect_uris: z
      .array(z.string().max(2048).refine(isRedirectUri, 'an absolute URI'))
      .min(1)
      .max(20)
      .optional(),
    api_url: apiUrl,
  })
  .superRefine((options, context) => {
    for (const [given, missing] of BOTH_OR_NEITHER) {
      if (options[given] !== undefined && options[missing] === undefined) {
        context.addIssue({ code: 'custom', path: [missing], message: `needed with ${given}` });
      }
    }
    if (options.consumer_key === undefined && options.client_id === undefined) {
      context.addIssue({ code: 'custom', path: [], message: 'consumer_key or client_id is needed' });
    }
  });

export type TwitterOptions = z.infer<typeof twitterOptionsSchema>;

const BOTH_OR_NEITHER = [
  ['consumer_key', 'consumer_secret'],
  ['consumer_secret', 'consumer_key'],
  ['client_id', 'redirect_uris'],
  ['redirect_uris', 'client_id'],
  ['client_secret', 'client_id'],
] as const;

function isApiUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  return (
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback)) &&
    url.href === `${url.origin}/` &&
    !/[?#]/.test(text)
  );
}

/** Apps on phones have schemes of their own. RFC 6749 §3.1.2: no fragment. */
function isRedirectUri(text: string): boolean {
  return URL.canParse(text) && !text.includes('#') && text.trim() === text;
}
