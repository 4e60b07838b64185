/** Deeper values have no meaning in any token or answer, and would exhaust the stack of whoever walks them. */
const MAX_DEPTH = 32;

/** Invalid UTF-8 and a byte order mark are faults, not characters. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses JSON whose meaning nobody can argue about: RFC 8259 §4 leaves open what two members of one name mean, and an
 * issuer that signs the first `sub` while we read the last would have signed somebody else in.
 *
 * @throws Error for what is no JSON, repeats a member name, is nested too deeply or is not UTF-8. The message holds
 *   nothing of the text.
 */
export function parseExactJson(bytes: Uint8Array): unknown {
  return parseUnambiguous(bytes).value;
}

/**
 * As `parseExactJson`, and numbers that a double cannot tell from their neighbours become the text they were written
 * as: providers number their people beyond 2^53, where 9007199254740993 would be read as ...992, who is somebody else.
 *
 * @throws Error as `parseExactJson`.
 */
export function parseExactNumbers(bytes: Uint8Array): unknown {
  const { text, value } = parseUnambiguous(bytes);
  const quoted = text.replace(STRING_OR_NUMBER, (token) =>
    token.startsWith('"') || isExact(token) ? token : `"${token}"`,
  );
  // Only what is JSON already is rewritten: quotes would make a name of a number that stands where a name has to.
  return quoted === text ? value : JSON.parse(quoted);
}

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs;

/** Two different decimals of up to so many digits are never one double. */
const EXACT_DIGITS = 15;

/** Large values with an exponent have lost their digits before they were written, and stay numbers that are no id. */
function isExact(token: string): boolean {
  if (/^-?\d+$/.test(token)) return Number.isSafeInteger(Number(token));
  const [digits = ''] = token.split(/[eE]/);
  const isShort = digits.replace(/[-.]/g, '').replace(/^0+/, '').length <= EXACT_DIGITS;
  return Number.isFinite(Number(token)) && (isShort || !Number.isSafeInteger(Number(token)));
}

function parseUnambiguous(bytes: Uint8Array): { readonly text: string; readonly value: unknown } {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the text.
    throw new Error('no JSON');
  }
  if (countMembers(value, 0) !== countColons(text)) throw new Error('a member name is repeated');
  return { text, value };
}

function countMembers(value: unknown, depth: number): number {
  if (depth > MAX_DEPTH) throw new Error('nested too deeply');
  if (typeof value !== 'object' || value === null) return 0;
  const parts: unknown[] = Object.values(value);
  const own = Array.isArray(value) ? 0 : parts.length;
  return parts.reduce<number>((sum, part) => sum + countMembers(part, depth + 1), own);
}

/** Members in the text: in JSON, each has exactly one colon outside of strings. */
function countColons(text: string): number {
  const withoutStrings = text.replace(/"(?:[^"\\]|\\.)*"/gs, '');
  return withoutStrings.split(':').length - 1;
}
