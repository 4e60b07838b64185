import type { EntitySchema, ObjectLiteral } from 'typeorm';
import type { Columns } from './columns.js';

/** Describes one table for whichever database is configured. `src/rows.ts` lists them all. */
export type RowDefinition<Row extends ObjectLiteral = ObjectLiteral> = (
  columns: Columns,
) => EntitySchema<Row>;
