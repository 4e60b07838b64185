import { createHmac } from 'node:crypto';

/** Whose signature it is: the app's key and, where a person is involved, the person's token. */
export interface OAuth1Keys {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  readonly token?: string;
  readonly tokenSecret?: string;
}

/** RFC 5849 §3.3: together used once. */
export interface OAuth1Moment {
  readonly nonce: string;
  readonly timestampSeconds: number;
}

type Parameter = readonly [name: string, value: string];

/** RFC 5849 §3.6: everything but unreserved characters, in upper case; `encodeURIComponent` leaves five too many. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * RFC 5849 §3.4.1.
 *
 * @param parameters those of the header (without `realm` and `oauth_signature`) and of a form body; the query's are
 *   taken from the URL.
 */
export function signatureBaseString(method: string, url: URL, parameters: readonly Parameter[]): string {
  const encoded = [...url.searchParams, ...parameters].map(([name, value]): Parameter => [
    percentEncode(name),
    percentEncode(value),
  ]);
  const normalized = encoded
    .sort((one, other) => compare(one[0], other[0]) || compare(one[1], other[1]))
    .map((parameter) => parameter.join('='))
    .join('&');
  // A URL's origin is in lower case and without its default port, as §3.4.1.2 asks.
  return [method.toUpperCase(), url.origin + url.pathname, normalized].map(percentEncode).join('&');
}

/** RFC 5849 §3.4.2. */
export function hmacSha1Signature(baseString: string, consumerSecret: string, tokenSecret = ''): string {
  const key = `${percentEncode(consumerSecret)}&${percentEncode(tokenSecret)}`;
  return createHmac('sha1', key).update(baseString).digest('base64');
}

/** The `Authorization` header (RFC 5849 §3.5.1) of a request without a form body. */
export function oauth1Authorization(
  { method, url }: { readonly method: string; readonly url: URL },
  { consumerKey, consumerSecret, token, tokenSecret }: OAuth1Keys,
  { nonce, timestampSeconds }: OAuth1Moment,
): string {
  const parameters: Parameter[] = [
    ['oauth_consumer_key', consumerKey],
    ['oauth_nonce', nonce],
    ['oauth_signature_method', 'HMAC-SHA1'],
    ['oauth_timestamp', String(timestampSeconds)],
    ...(token === undefined ? [] : [['oauth_token', token] as const]),
    ['oauth_version', '1.0'],
  ];
  const baseString = signatureBaseString(method, url, parameters);
  const signature = hmacSha1Signature(baseString, consumerSecret, tokenSecret);
  return `OAuth ${[...parameters, ['oauth_signature', signature] as const]
    .map(([name, value]) => `${percentEncode(name)}="${percentEncode(value)}"`)
    .join(', ')}`;
}

/** By bytes: what is compared is encoded, and so ASCII. `localeCompare` would sort otherwise. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
