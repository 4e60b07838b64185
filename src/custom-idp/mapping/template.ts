/** Why a text is no template, in words for the operator. Nothing else is thrown here. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';
}

/** `#{user.name|Anonymous}` */
export interface Placeholder {
  /** As it was written, without the default. */
  readonly name: string;
  readonly path: readonly string[];
  /** What stands in where the path leads nowhere; undefined: nothing does. */
  readonly fallback: string | undefined;
}

/** Text with placeholders, parsed once, when a definition is saved or opened. */
export interface Template {
  readonly text: string;
  readonly parts: readonly (string | Placeholder)[];
}

/** What a template comes to. */
export type Filled =
  | { readonly kind: 'value'; readonly value: unknown }
  /** A path leads nowhere, or to null, and has no default. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly reason: string };

const MAX_TEMPLATE_CHARACTERS = 1024;
const MAX_PLACEHOLDERS = 16;
const MAX_SEGMENTS = 16;
const MAX_FILLED_CHARACTERS = 64 * 1024;

/** Everything that could begin an expression is missing here. Spaces and slashes are in names of real answers. */
const NAME = /^[\p{L}\p{N}_$@:/-](?:[\p{L}\p{M}\p{N}_$@:/ -]{0,126}[\p{L}\p{M}\p{N}_$@:/-])?$/u;
/** Issuers name claims of their own by URLs: `"https://acme.example/plan"`. */
const QUOTED_NAME = /^[\p{L}\p{M}\p{N}_$@:/.~?&=+,;%# -]{1,256}$/u;
/** A name, in quotation marks or not, its indexes, and what is behind them: `users[0].` */
const STEP = /(?:"([^"]*)"|([^".[\]]*))((?:\[(?:0|[1-9]\d{0,5})\])*)(\.|$)/y;
const INDEX = /^(?:0|[1-9]\d{0,5})$/;

/** Ways out of data and into the program (C-12, C-13). Lookups would not follow them; whoever writes them means harm. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

/** Takes time in proportion to the text's length. @throws TemplateFault */
export function parseTemplate(text: string): Template {
  if (text.length > MAX_TEMPLATE_CHARACTERS) {
    throw new TemplateFault(`must be at most ${MAX_TEMPLATE_CHARACTERS} characters`);
  }
  if (!text.isWellFormed() || text.includes('\0')) throw new TemplateFault('must be text without NUL');
  const parts: (string | Placeholder)[] = [];
  let from = 0;
  for (let start = text.indexOf('#{'); start !== -1; start = text.indexOf('#{', from)) {
    const end = text.indexOf('}', start);
    if (end === -1) throw new TemplateFault('has a placeholder without an end');
    if (start > from) parts.push(text.slice(from, start));
    parts.push(parsePlaceholder(text.slice(start + 2, end)));
    from = end + 1;
  }
  if (from < text.length) parts.push(text.slice(from));
  const template = { text, parts };
  if (placeholdersOf(template).length > MAX_PLACEHOLDERS) {
    throw new TemplateFault(`must have at most ${MAX_PLACEHOLDERS} placeholders`);
  }
  return template;
}

export function placeholdersOf({ parts }: Template): readonly Placeholder[] {
  return parts.filter((part) => typeof part !== 'string');
}

/** The placeholder that is all there is of a template, if it is. */
export function onlyPlaceholder({ parts }: Template): Placeholder | undefined {
  const [first] = parts;
  return parts.length === 1 && typeof first === 'object' ? first : undefined;
}

/**
 * A template with values in it. One placeholder by itself is its value, whatever type that has; all else is joined, and
 * only text, whole numbers that are exact, and booleans can be.
 *
 * @param encode for the place where the text is to stand: of a value, never of the operator's own text.
 */
export function fillTemplate(
  template: Template,
  values: unknown,
  encode: (value: string) => string = String,
): Filled {
  const only = onlyPlaceholder(template);
  if (only && encode === String) return present(ownValue(values, only.path) ?? only.fallback);
  let text = '';
  for (const part of template.parts) {
    if (typeof part === 'string') {
      text += part;
      continue;
    }
    const value = ownValue(values, part.path) ?? part.fallback;
    if (value === undefined) return { kind: 'absent' };
    if (!isJoinable(value)) {
      return { kind: 'refused', reason: `#{${part.name}} is neither text nor a whole number nor a boolean` };
    }
    text += encode(String(value));
    if (text.length > MAX_FILLED_CHARACTERS) return { kind: 'refused', reason: 'is too long' };
  }
  return present(text);
}

/**
 * What stands at a path: own data only, never a getter, nothing inherited, of lists nothing but their items.
 *
 * @returns null also where there is nobody to have the property: below null, and past the end of a list; undefined
 *   where there is no such thing.
 */
export function ownValue(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const key of path) {
    if (value === null) return null;
    if (typeof value !== 'object') return undefined;
    if (Array.isArray(value)) {
      if (!INDEX.test(key)) return undefined;
      if (Number(key) >= value.length) return null;
    }
    value = Object.getOwnPropertyDescriptor(value, key)?.value as unknown;
  }
  return value;
}

function present(value: unknown): Filled {
  return value === undefined || value === null ? { kind: 'absent' } : { kind: 'value', value };
}

function isJoinable(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value);
}

function parsePlaceholder(inner: string): Placeholder {
  if (inner.includes('{')) throw new TemplateFault('has a placeholder inside a placeholder');
  const bar = inner.indexOf('|');
  const name = bar === -1 ? inner : inner.slice(0, bar);
  return { name, path: parsePath(name), fallback: bar === -1 ? undefined : inner.slice(bar + 1) };
}

function parsePath(text: string): readonly string[] {
  const segments: string[] = [];
  let at = 0;
  for (let isLast = false; !isLast;) {
    STEP.lastIndex = at;
    const [step, quoted, name = quoted, indexes, end] = STEP.exec(text) ?? [];
    if (step === undefined) throw new TemplateFault('has a path that cannot be read');
    const found = [...indexes!.matchAll(/\d+/g)].map(([index]) => index);
    // A list has no name at the very beginning: #{[0].id}
    if (name !== '' || at > 0 || found.length === 0) segments.push(checkedName(name!, quoted !== undefined));
    segments.push(...found);
    at += step.length;
    isLast = end === '';
  }
  if (segments.length > MAX_SEGMENTS) throw new TemplateFault(`has a path of over ${MAX_SEGMENTS} steps`);
  return segments;
}

function checkedName(name: string, isQuoted: boolean): string {
  if (name === '') throw new TemplateFault('has an empty name in a path');
  if (FORBIDDEN.has(name)) throw new TemplateFault('has a path through the program instead of the data');
  if (!(isQuoted ? QUOTED_NAME : NAME).test(name)) {
    throw new TemplateFault('has a path with characters that names do not have');
  }
  return name;
}
