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
  return value;
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
