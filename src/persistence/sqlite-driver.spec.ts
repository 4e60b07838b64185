import { describe, expect, it } from '@jest/globals';
import { loadSqliteDriver, SqliteDriverMissingError } from './sqlite-driver.js';

describe('loadSqliteDriver', () => {
  it('finds a driver that runs on this Node', () => {
    const database = new (loadSqliteDriver())(':memory:');
    expect(database.prepare('SELECT 1 AS one').get()).toEqual({ one: 1 });
    database.close();
  });

  it('says what to do where there is none', () => {
    expect(new SqliteDriverMissingError(new Error('no such module')).message).toMatch(
      /compiler.*Node 22.*PostgreSQL/,
    );
  });
});
