import { Transactions } from '../../src/persistence/transactions.js';
import type { TestApp } from './test-app.js';

/** The database behind a test app, past every rule of the product. */
export class DatabaseRows {
  private readonly transactions: Transactions;

  constructor(server: TestApp) {
    this.transactions = server.app.get(Transactions, { strict: false });
  }

  /** Runs one statement, with `:name` for parameters. */
  run<Row>(sql: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<Row[]> {
    return this.transactions.run(() => this.transactions.query<Row>(sql, parameters));
  }

  /** Every row of every table, as one text to search. */
  async dump(): Promise<string> {
    const tables = await this.run<{ name: string }>(
      this.transactions.dialect === 'postgres'
        ? `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`
        : `SELECT name FROM sqlite_master WHERE type = 'table'`,
    );
    const lines: string[] = [];
    for (const { name } of tables) {
      const rows = await this.run(`SELECT * FROM ${name}`);
      lines.push(...rows.map((row) => `${name} ${JSON.stringify(row)}`));
    }
    return lines.join('\n');
  }

  /** How the database would carry out a statement of the product, whatever its parameters. */
  async explain(sql: string, parameters: Readonly<Record<string, unknown>>): Promise<string> {
    return this.transactions.run(async () => {
      if (this.transactions.dialect === 'sqlite') {
        return JSON.stringify(await this.transactions.query(`EXPLAIN QUERY PLAN ${sql}`, parameters));
      }
      // A table of a few rows is quicker to read whole, and the planner knows it.
      await this.transactions.query('SET LOCAL enable_seqscan = off');
      return JSON.stringify(await this.transactions.query(`EXPLAIN ${sql}`, parameters));
    });
  }

  /** Past the rule that disabling ends sessions. */
  async disableUser(id: number): Promise<void> {
    await this.run('UPDATE users SET disabled = (1 = 1) WHERE id = :id', { id });
  }

  /** A user as a federated sign-in would leave them: nobody has a password for them. */
  async removePassword(id: number): Promise<void> {
    await this.run('UPDATE users SET password_hash = NULL WHERE id = :id', { id });
  }

  async count(table: 'users' | 'sessions'): Promise<number> {
    const rows = await this.run<{ count: number }>(`SELECT count(*) AS count FROM ${table}`);
    return Number(rows[0]!.count);
  }
}
