import { BrokerError } from '../../errors/broker-error.js';
import { parseJsonBody } from '../json-body.js';

/** Values by name. */
export type Fields = ReadonlyMap<string, unknown>;

const NONE: Fields = new Map();

/** No protocol here has as many. */
const MAX_FIELDS = 64;

/**
 * Reads what a request says in its query and its body together. A body whose first character is `{` is JSON and any
 * other one a form, whatever its content type says: some senders label JSON as a form, and forms as nothing that exists.
 *
 * @returns nothing of what cannot be read: JSON that is none, text that is not UTF-8 when decoded, and a name that is
 *   there twice, of which two readers would take different ones.
 */
export function readFields({ query, body }: { query: string; body: string | null }): Fields {
  if (body === null) return NONE;
  const fields = new Map<string, unknown>();
  const start = body.trimStart();
  const isRead =
    readForm(query, fields) && (start.startsWith('{') ? readJson(start, fields) : readForm(body, fields));
  return isRead ? fields : NONE;
}

/** The text of that name; undefined when there is none or it is something else. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name);
  return typeof value === 'string' ? value : undefined;
}

function readJson(text: string, fields: Map<string, unknown>): boolean {
  let value: unknown;
  try {
    value = parseJsonBody(text);
  } catch (error) {
    if (error instanceof BrokerError) return false;
    throw error;
  }
  return Object.entries(value as object).every(([name, inner]) => add(fields, name, inner));
}

/** https://url.spec.whatwg.org/#urlencoded-parsing, but that bytes which are no UTF-8 are refused. */
function readForm(text: string, fields: Map<string, unknown>): boolean {
  if (text === '') return true;
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? '' : part.slice(equals + 1));
    if (name === null || value === null || !add(fields, name, value)) return false;
  }
  return true;
}

function add(fields: Map<string, unknown>, name: string, value: unknown): boolean {
  if (fields.has(name) || fields.size >= MAX_FIELDS) return false;
  fields.set(name, value);
  return true;
}

function decode(text: string): string | null {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return null;
  }
}
