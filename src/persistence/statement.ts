import { createHash } from 'node:crypto';
import type { Dialect } from './columns.js';

/** SQL as a driver takes it, and the names of its parameters in their order. */
export interface Statement {
  readonly text: string;
  readonly names: readonly string[];
  /**
   * PostgreSQL: what the statement is called once a connection has prepared it. Undefined for those whose columns are
   * not named: the next version's migration may add one while this version serves, and a prepared `SELECT *` fails
   * from then on ("cached plan must not change result type").
   */
  readonly name: string | undefined;
}

/** Turns `:name` into the dialect's placeholders; `::type` casts are left alone. */
export function toStatement(sql: string, dialect: Dialect): Statement {
  const names: string[] = [];
  const text = sql.replace(/(?<!:):([a-zA-Z]\w*)/g, (_match, name: string) => {
    names.push(name);
    return dialect === 'postgres' ? `$${names.length}` : '?';
  });
  const namesItsColumns = !sql.replaceAll('count(*)', '').includes('*');
  const name =
    dialect === 'postgres' && namesItsColumns
      ? `ostiary_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
      : undefined;
  return { text, names, name };
}
