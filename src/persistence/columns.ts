import type { EntitySchemaColumnOptions } from 'typeorm';

type Options = Partial<EntitySchemaColumnOptions>;
export type Dialect = 'sqlite' | 'postgres';

/** PostgreSQL hands `bigint` over as text, SQLite as a number; all of ours stay below 2^53. */
const bigNumber = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

/**
 * Column kinds that mean the same on SQLite and PostgreSQL, for `*.entity.ts`.
 * Instants are milliseconds since the epoch: SQLite refuses `timestamptz`, and a number needs no parsing.
 */
export class Columns {
  constructor(private readonly dialect: Dialect) {}

  /** A generated key below 2^31, never used twice. */
  id(): EntitySchemaColumnOptions {
    return { type: 'integer', primary: true, generated: 'increment' };
  }

  /** A generated key of 64 bits. SQLite generates only for `integer`, which has 64 bits there. */
  bigId(): EntitySchemaColumnOptions {
    return { type: this.big, primary: true, generated: 'increment', transformer: bigNumber };
  }

  integer(options: Options = {}): EntitySchemaColumnOptions {
    return { type: 'integer', ...options };
  }

  bigInteger(options: Options = {}): EntitySchemaColumnOptions {
    return { type: this.big, transformer: bigNumber, ...options };
  }

  /** Milliseconds since the Unix epoch. */
  instant(options: Options = {}): EntitySchemaColumnOptions {
    return this.bigInteger(options);
  }

  varchar(length: number, options: Options = {}): EntitySchemaColumnOptions {
    return { type: 'varchar', length: String(length), ...options };
  }

  text(options: Options = {}): EntitySchemaColumnOptions {
    return { type: 'text', ...options };
  }

  flag(options: Options = {}): EntitySchemaColumnOptions {
    return { type: 'boolean', ...options };
  }

  private get big(): 'integer' | 'bigint' {
    return this.dialect === 'sqlite' ? 'integer' : 'bigint';
  }
}
