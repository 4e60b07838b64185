import { parseExactJson } from '../../identity/exact-json.js';

const MAX_CHARACTERS = 16 * 1024;

/**
 * An object of a definition, which vendors' dashboards have as a text field with JSON in it.
 *
 * @returns undefined for what is neither an object nor a JSON text of one, and for a secret as it is shown, of a
 *   definition that was copied.
 */
export function jsonOption(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const given = typeof value === 'string' ? parsed(value) : value;
  return typeof given === 'object' && given !== null && !Array.isArray(given) && !isShownSecret(given)
    ? (given as Readonly<Record<string, unknown>>)
    : undefined;
}

/** What stands in for a secret wherever a definition is shown. */
export function isShownSecret(value: object): boolean {
  return Object.keys(value).join() === 'fingerprint';
}

function parsed(text: string): unknown {
  if (text.length > MAX_CHARACTERS) return undefined;
  try {
    return parseExactJson(Buffer.from(text));
  } catch {
    return undefined;
  }
}
