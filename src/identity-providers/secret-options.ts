import { toPointer } from '../http/input.js';

/** What stands in for a secret that is not shown. */
export interface Redacted {
  /** Of the same secret always the same, so that people can tell whether it is the one they mean. */
  readonly fingerprint: string;
}

type Json = Readonly<Record<string, unknown>>;

/** The options with their secrets replaced by fingerprints. */
export function redactSecrets(
  options: Json,
  paths: readonly string[],
  fingerprint: (secret: string) => string,
): Json {
  return visit(options, paths, (value) =>
    typeof value === 'string' ? ({ fingerprint: fingerprint(value) } satisfies Redacted) : undefined,
  );
}

export interface Carried {
  readonly options: Json;
  /** RFC 6901 pointers, below the options, of the secrets that were taken over from before. */
  readonly carried: readonly string[];
}

/**
 * New options with the secrets of the present ones where they bring none of their own: left out, or as they were shown.
 * Whether they may be taken over is the caller's to decide.
 */
export function carrySecrets(given: Json, present: Json, paths: readonly string[]): Carried {
  const carried: string[] = [];
  let options = given;
  for (const { path, value } of secretsOf(present, paths)) {
    const parent = at(options, path.slice(0, -1));
    // An entry that was taken out of the options takes its secrets along.
    if (!isObject(parent)) continue;
    const own = parent[path.at(-1)!];
    if (own !== undefined && !isRedacted(own)) continue;
    options = put(options, path, value);
    carried.push(toPointer(path));
  }
  return { options, carried };
}

interface Found {
  readonly path: readonly string[];
  readonly value: string;
}

function secretsOf(options: Json, paths: readonly string[]): Found[] {
  const found: Found[] = [];
  for (const pattern of paths) collect(options, pattern.split('.'), [], found);
  return found;
}

function collect(
  value: unknown,
  [key, ...rest]: readonly string[],
  path: readonly string[],
  found: Found[],
): void {
  if (key === undefined) {
    if (typeof value === 'string') found.push({ path, value });
    return;
  }
  if (!isObject(value)) return;
  const keys = key === '*' ? Object.keys(value) : Object.hasOwn(value, key) ? [key] : [];
  for (const own of keys) collect(value[own], rest, [...path, own], found);
}

function visit(options: Json, paths: readonly string[], replace: (value: unknown) => unknown): Json {
  return secretsOf(options, paths).reduce((all, { path, value }) => put(all, path, replace(value)), options);
}

function put(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): Json {
  if (key === undefined) return replacement as Json;
  const copy = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as Json) };
  (copy as Record<string, unknown>)[key] = put((copy as Record<string, unknown>)[key], rest, replacement);
  return copy as Json;
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export function isRedacted(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 1 && typeof value['fingerprint'] === 'string';
}
