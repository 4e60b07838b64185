import { isDeepStrictEqual } from 'node:util';
import { toPointer } from '../http/input.js';
import { isRedacted } from './secret-options.js';

/** One place at which two versions of a definition differ. */
export interface DefinitionChange {
  /** RFC 6901 pointer into the definition. */
  readonly path: string;
  /** Left out where there was nothing; likewise `to`. */
  readonly from?: unknown;
  readonly to?: unknown;
}

/**
 * Where two definitions differ, place by place, in the order of their names. Secrets have to be fingerprints already:
 * values are handed on as they are.
 */
export function definitionChanges(from: unknown, to: unknown, path = ''): DefinitionChange[] {
  if (isDeepStrictEqual(from, to)) return [];
  if (!isInner(from) || !isInner(to) || Array.isArray(from) !== Array.isArray(to)) {
    return [{ path, ...(from !== undefined && { from }), ...(to !== undefined && { to }) }];
  }
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  if (!Array.isArray(from)) keys.sort();
  return keys.flatMap((key) => definitionChanges(own(from, key), own(to, key), `${path}${toPointer([key])}`));
}

function isInner(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !isRedacted(value);
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}
