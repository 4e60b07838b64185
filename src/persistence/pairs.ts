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

/** The value of the parameter `:ids` of `isAmongIds`, or `:texts` of `isAmongTexts`. */
export function toList(values: readonly (number | string)[]): string {
  return JSON.stringify(values);
}

/** A condition: the column is one of the parameter `:ids`. One text, however many they are. */
export function isAmongIds(dialect: Dialect, column: string): string {
  return dialect === 'postgres'
    ? `${column} = ANY (ARRAY(SELECT jsonb_array_elements_text(:ids::jsonb)::bigint))`
    : `${column} IN (SELECT value FROM json_each(:ids))`;
}

/** As `isAmongIds`, with the parameter `:texts`. */
export function isAmongTexts(dialect: Dialect, column: string): string {
  return dialect === 'postgres'
    ? `${column} = ANY (ARRAY(SELECT jsonb_array_elements_text(:texts::jsonb)))`
    : `${column} IN (SELECT value FROM json_each(:texts))`;
}
