/** A text that nobody may see, and what is shown in its place. */
export interface Secret {
  /** Where it comes from: `credential.token`, `options.headers.X-Api-Key`. */
  readonly name: string;
  readonly value: string;
}

/** Shorter ones stand in other words as well: to mask them would say where, and what is left could be guessed. */
const MIN_MASKED = 4;

const TOO_SHORT = '(not shown: a part of the credential is too short to be masked)';
const REDACTED = '‹redacted›';

/** Members that hold secrets wherever they come up; ids and types of tokens do not. */
const SECRET_NAME =
  /(^|[.[_-])(access_?token|refresh_?token|id_?token|token|secret|client_?secret|password|passwd|assertion|api_?key|private_?key|code|code_?verifier|proof|signature)\]?$/i;

/** Headers that carry credentials; what is not known of them is not shown. */
const SECRET_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'webhook-signature',
]);

/**
 * Takes the secrets of one rehearsal out of what is shown of it: those that are known, however they are encoded, and
 * what stands under the names that secrets have.
 */
export class Mask {
  private readonly replacements: readonly (readonly [string, string])[];
  private readonly isBlind: boolean;

  constructor(secrets: readonly Secret[]) {
    const known = secrets.filter(({ value }) => value !== '');
    this.isBlind = known.some(({ value }) => value.length < MIN_MASKED);
    this.replacements = known
      .flatMap(({ name, value }) =>
        encodingsOf(value).map((encoded): [string, string] => [encoded, `‹${name}›`]),
      )
      // The longer first: one may be a part of the other.
      .sort(([a], [b]) => b.length - a.length);
  }

  text(text: string): string {
    if (this.isBlind) return TOO_SHORT;
    return this.replacements.reduce((masked, [value, name]) => masked.replaceAll(value, name), text);
  }

  url(text: string): string {
    const masked = this.text(text);
    const start = masked.indexOf('?');
    return start < 0 ? masked : `${masked.slice(0, start + 1)}${pairs(masked.slice(start + 1))}`;
  }

  headers(headers: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(
      Object.entries(headers).map(([name, value]) => {
        const masked = this.text(value);
        return [name, SECRET_HEADERS.has(name.toLowerCase()) ? credentialOnly(masked) : masked];
      }),
    );
  }

  /** A body of JSON or of a form, by what it looks like; other text as text. */
  body(body: string): string {
    const masked = this.text(body);
    const json = parsed(masked);
    if (json !== undefined) return JSON.stringify(redacted(json));
    return /^[\w.[\]-]+=/.test(masked) ? pairs(masked) : masked;
  }

  /** A value of whatever type, its texts masked. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return this.isBlind ? TOO_SHORT : value;
    return redacted(parsed(this.text(JSON.stringify(value))) ?? REDACTED);
  }
}

function encodingsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const all = [
    value,
    encodeURIComponent(value),
    new URLSearchParams([['', value]]).toString().slice(1),
    json,
    json.replaceAll('/', '\\/'),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ];
  return [...new Set(all)].filter((encoded) => encoded.length >= MIN_MASKED);
}

function pairs(text: string): string {
  return text
    .split('&')
    .map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      const value = rest.join('=');
      const isSecret = SECRET_NAME.test(decoded(name)) && !/[‹]/.test(value);
      return rest.length === 0 ? pair : `${name}=${isSecret ? REDACTED : value}`;
    })
    .join('&');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      const isSecret = SECRET_NAME.test(name) && typeof inner !== 'object' && inner !== null;
      const isShown = typeof inner === 'string' && inner.includes('‹');
      return [name, isSecret && !isShown && typeof inner !== 'boolean' ? REDACTED : redacted(inner)];
    }),
  );
}

/** The scheme, and what is known of the rest. */
function credentialOnly(masked: string): string {
  const [scheme, ...rest] = masked.split(' ');
  const value = rest.join(' ');
  if (/^(‹[^›]*›)+$/.test(value === '' ? masked : value)) return masked;
  return value === '' ? REDACTED : `${scheme} ${REDACTED}`;
}
