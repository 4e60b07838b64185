import type { Dialect } from './columns.js';

/**
 * The value of the parameter `:pairs` of `pairsTable`. In the order of ids, so that two processes that update the
 * same rows cannot wait for each other.
 */
export function toPairs(entries: readonly { readonly id: number; readonly at: number }[]): string {
  const sorted = [...entries].sort((a, b) => a.id - b.id);
  return JSON.stringify(sorted.map(({ id, at }) => [id, at]));
}

/** The parameter `:pairs` as a table with the columns `id` and `at`, for an update of many rows in one statement. */
export function pairsTable(dialect: Dialect): string {
  return dialect === 'postgres'
    ? `(SELECT (value->>0)::bigint AS id, (value->>1)::bigint AS at FROM jsonb_array_elements(:pairs::jsonb))`
    : `(SELECT value->>0 AS id, value->>1 AS at FROM json_each(:pairs))`;
}
