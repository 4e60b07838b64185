import { createHmac } from 'node:crypto';
import OAuth from 'oauth-1.0a';

/** The OAuth 1.0a parameters of an `Authorization` header, decoded; null where there are none. */
export function oauth1Parameters(header: string | undefined): Record<string, string> | null {
  if (!header?.startsWith('OAuth ')) return null;
  return Object.fromEntries(
    [...header.slice('OAuth '.length).matchAll(/([\w%]+)="([^"]*)"/g)].map(([, name, value]) => [
      decodeURIComponent(name!),
      decodeURIComponent(value!),
    ]),
  );
}

/** What the signature has to be, by an implementation that has nothing in common with the one under test. */
export function expectedSignature(
  request: { readonly method: string; readonly url: string },
  parameters: Readonly<Record<string, string>>,
  consumer: { readonly key: string; readonly secret: string },
  tokenSecret: string | undefined,
): string {
  const oauth = new OAuth({
    consumer,
    signature_method: 'HMAC-SHA1',
    hash_function: (base, key) => createHmac('sha1', key).update(base).digest('base64'),
  });
  const { oauth_signature: _, ...signed } = parameters;
  return oauth.getSignature({ ...request, data: {} }, tokenSecret, signed as unknown as OAuth.Data);
}
