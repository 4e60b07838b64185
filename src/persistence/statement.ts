import type { Dialect } from './columns.js';

/** SQL as a driver takes it, and the names of its parameters in their order. */
export interface Statement {
  readonly text: string;
  readonly names: readonly string[];
}

/** Turns `:name` into the dialect's placeholders; `::type` casts are left alone. */
export function toStatement(sql: string, dialect: Dialect): Statement {
  const names: string[] = [];
  const text = sql.replace(/(?<!:):([a-zA-Z]\w*)/g, (_match, name: string) => {
    names.push(name);
    return dialect === 'postgres' ? `$${names.length}` : '?';
  });
  return { text, names };
}
