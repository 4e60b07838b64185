import { TemplateFault, type Template } from '../mapping/template.js';
import { credentialTemplate, unusable, withCredential, type Credential } from './credential.js';

/** Where a partner is asked. */
export interface UrlTemplate {
  /** Scheme, host and port: never a client's to choose. */
  readonly origin: string;
  readonly path: Template;
  /** Without its question mark. */
  readonly query: Template;
}

const MAX_URL_CHARACTERS = 2048;
/** Longer addresses are cut by servers and proxies, each in its own way. */
const MAX_REQUEST_TARGET_CHARACTERS = 16 * 1024;

/** What needs no encoding; the rest a URL parser strips, encodes, or takes for something else. */
const PLAIN = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*$/;
const SPLIT = /^(https?:\/\/[^/?]+)([^?]*)(?:\?(.*))?$/s;
const PLACEHOLDER = /#\{[^}]*\}/g;

/**
 * A URL in which placeholders stand where they can be encoded so that nothing around them changes: in segments of the
 * path and in values of the query (C-06). Plain HTTP is for partners on this machine.
 *
 * @throws TemplateFault
 */
export function compileUrl(text: string): UrlTemplate {
  if (text.length > MAX_URL_CHARACTERS)
    throw new TemplateFault(`must be at most ${MAX_URL_CHARACTERS} characters`);
  // Spelled out where it stands, so that the rest is what a URL parser will see.
  const [, authority = '', path = '', query = ''] = SPLIT.exec(text.trim()) ?? [];
  if (authority.includes('#{')) throw new TemplateFault('must not have a placeholder before the path');
  if (!isHttpsOrLoopback(authority)) {
    throw new TemplateFault('must be an https URL without user information');
  }
  const { origin } = new URL(authority);
  if (query.split('&').some((pair) => /#\{/.test(pair.split('=', 1)[0]!))) {
    throw new TemplateFault('must not have a placeholder in the name of a query parameter');
  }
  const url = {
    origin,
    path: credentialTemplate(path === '' ? '/' : path),
    query: credentialTemplate(query),
  };
  if (!PLAIN.test((path + query).replace(PLACEHOLDER, ''))) {
    throw new TemplateFault('must have no fragment, and its special characters percent-encoded');
  }
  if (!isUnchanged(url, path.replace(PLACEHOLDER, 'x') || '/', query.replace(PLACEHOLDER, 'x'))) {
    throw new TemplateFault('must be written without "." and ".." segments, and percent-encoded');
  }
  return url;
}

/**
 * The URL for one credential, with further parameters of the query behind those of the template.
 *
 * @throws BrokerError `invalid_credentials` for what would lead elsewhere, encoded or not.
 */
export function toRequestUrl(url: UrlTemplate, credential: Credential, parameters: readonly string[]): URL {
  const path = withCredential(url.path, credential, encodeValue);
  const query = [withCredential(url.query, credential, encodeValue), ...parameters]
    .filter((one) => one !== '')
    .join('&');
  if (path.length + query.length > MAX_REQUEST_TARGET_CHARACTERS)
    throw unusable('is too long for an address');
  if (!isUnchanged(url, path, query)) throw unusable('would lead to another address');
  return new URL(targetOf(url.origin, path, query));
}

/** Everything but letters, digits and `-._~` (RFC 3986 §2.3). Takes well-formed text. */
export function encodeValue(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Whether a URL parser sees what was put together, "." and ".." segments in all their spellings above all. */
function isUnchanged({ origin }: UrlTemplate, path: string, query: string): boolean {
  const href = targetOf(origin, path, query);
  if (!URL.canParse(href)) return false;
  const parsed = new URL(href);
  return (
    parsed.origin === origin &&
    parsed.pathname === path &&
    parsed.search === (query && `?${query}`) &&
    parsed.hash === ''
  );
}

function targetOf(origin: string, path: string, query: string): string {
  return `${origin}${path}${query && `?${query}`}`;
}

function isHttpsOrLoopback(authority: string): boolean {
  if (!URL.canParse(authority) || /[@\\\s#]/.test(authority)) return false;
  const { protocol, hostname } = new URL(authority);
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(hostname))
  );
}
