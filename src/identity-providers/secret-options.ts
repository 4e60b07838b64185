import { toPointer } from '../http/input.js';

/** What stands in for a secret that is not shown. */
export interface Redacted {
  /** Of the same secret always the same, so that people can tell whether it is the one they mean. */
  readonly fingerprint: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Tells values at the places of secrets that are none. */
type IsPublic = (value: string) => boolean;
const nothingIsPublic: IsPublic = () => false;

/** The options with their secrets replaced by fingerprints. */
export function redactSecrets(
  options: Json,
  paths: readonly string[],
  fingerprint: (secret: string) => string,
  isPublic = nothingIsPublic,
): Json {
  return secretsOf(options, paths, isPublic).reduce(
    (all, { path, value }) => put(all, path, { fingerprint: fingerprint(value) } satisfies Redacted),
    options,
  );
}

export interface Carried {
  readonly options: Json;
  /** RFC 6901 pointers, below the options, of the secrets that were taken over from before. */
  readonly carried: readonly string[];
}

/**
 * New options with the secrets of the present ones where they bring none of their own: left out, or as they were shown.
 * Of entries that the operator names (`headers.*`) only those as they were shown: one that is left out was taken out.
 * Whether they may be taken over is the caller's to decide.
 */
export function carrySecrets(
  given: Json,
  present: Json,
  paths: readonly string[],
  isPublic = nothingIsPublic,
): Carried {
  const carried: string[] = [];
  let options = given;
  for (const { path, value, isEntry } of secretsOf(present, paths, isPublic)) {
    const parent = at(options, path.slice(0, -1));
    // An entry that was taken out of the options takes its secrets along.
    if (!isObject(parent)) continue;
    const own = parent[path.at(-1)!];
    if (own === undefined ? isEntry : !isRedacted(own)) continue;
    options = put(options, path, value);
    carried.push(toPointer(path));
  }
  return { options, carried };
}

/** A secret among options. */
export interface FoundSecret {
  readonly path: readonly string[];
  readonly value: string;
  /** Whether its own name is the operator's. */
  readonly isEntry: boolean;
}

/** The secrets that options hold, at the paths where their kind has some. */
export function secretsOf(options: Json, paths: readonly string[], isPublic: IsPublic): FoundSecret[] {
  return paths.flatMap((pattern) => {
    const found: Omit<FoundSecret, 'isEntry'>[] = [];
    collect(options, pattern.split('.'), [], found);
    return found
      .filter(({ value }) => !isPublic(value))
      .map((one) => ({ ...one, isEntry: pattern.endsWith('*') }));
  });
}

function collect(
  value: unknown,
  [key, ...rest]: readonly string[],
  path: readonly string[],
  found: Omit<FoundSecret, 'isEntry'>[],
): void {
  if (key === undefined) {
    if (typeof value === 'string') found.push({ path, value });
    return;
  }
  if (!isObject(value)) return;
  const keys = key === '*' ? Object.keys(value) : Object.hasOwn(value, key) ? [key] : [];
  for (const own of keys) collect(value[own], rest, [...path, own], found);
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
