import {
  type QueryRunner,
  Table,
  TableForeignKey,
  TableIndex,
  TableUnique,
  type TableColumnOptions,
} from 'typeorm';

type Column = TableColumnOptions;

/** Column kinds for migrations, the same words as `Columns` has for entities. */
export function portableColumns(runner: QueryRunner) {
  const big = runner.dataSource.options.type === 'postgres' ? 'bigint' : 'integer';
  const nullable = { isNullable: true };
  return {
    nullable,
    id: (): Column => ({
      name: 'id',
      type: 'integer',
      isPrimary: true,
      isGenerated: true,
      generationStrategy: 'increment',
    }),
    bigId: (): Column => ({
      name: 'id',
      type: big,
      isPrimary: true,
      isGenerated: true,
      generationStrategy: 'increment',
    }),
    integer: (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'integer', ...options }),
    bigInteger: (name: string, options: Partial<Column> = {}): Column => ({ name, type: big, ...options }),
    instant: (name: string, options: Partial<Column> = {}): Column => ({ name, type: big, ...options }),
    varchar: (name: string, length: number, options: Partial<Column> = {}): Column => ({
      name,
      type: 'varchar',
      length: String(length),
      ...options,
    }),
    text: (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'text', ...options }),
    flag: (name: string, options: Partial<Column> = {}): Column => ({ name, type: 'boolean', ...options }),
  };
}

interface TableParts {
  readonly columns: readonly Column[];
  readonly uniques?: Readonly<Record<string, readonly string[]>>;
  readonly indices?: Readonly<Record<string, readonly string[]>>;
  /** Constraint name → [column, table it refers to]; rows go with what they refer to. */
  readonly cascadingKeys?: Readonly<Record<string, readonly [string, string]>>;
  /** SQLite: kept in the order of its key, with no other. */
  readonly withoutRowid?: boolean;
}

/** A table whose constraints all have names, so that both databases and the entities agree on them. */
export function portableTable(name: string, parts: TableParts): Table {
  return new Table({
    name,
    withoutRowid: parts.withoutRowid ?? false,
    columns: [...parts.columns],
    uniques: Object.entries(parts.uniques ?? {}).map(
      ([unique, columnNames]) => new TableUnique({ name: unique, columnNames: [...columnNames] }),
    ),
    indices: Object.entries(parts.indices ?? {}).map(
      ([index, columnNames]) => new TableIndex({ name: index, columnNames: [...columnNames] }),
    ),
    foreignKeys: Object.entries(parts.cascadingKeys ?? {}).map(
      ([key, [column, table]]) =>
        new TableForeignKey({
          name: key,
          columnNames: [column],
          referencedTableName: table,
          referencedColumnNames: ['id'],
          onDelete: 'CASCADE',
        }),
    ),
  });
}
