import { describe, expect, it } from '@jest/globals';
import { isStoreAway, isUniqueViolation } from './store-errors.js';

const withCode = (code: string) => Object.assign(new Error('x'), { code });
const fromDriver = (code: string) => Object.assign(new Error('x'), { driverError: withCode(code) });

describe('isStoreAway', () => {
  it.each([
    'ECONNREFUSED',
    'ETIMEDOUT',
    '57P01',
    '08006',
    '53300',
    '25006',
    'SQLITE_BUSY',
    'SQLITE_IOERR_WRITE',
    'SQLITE_FULL',
  ])('takes %s for a database that is away', (code) => {
    expect(isStoreAway(withCode(code))).toBe(true);
    expect(isStoreAway(fromDriver(code))).toBe(true);
  });

  it.each(['23505', '42601', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_ERROR', 'ERR_ASSERTION'])(
    'takes %s for something else',
    (code) => {
      expect(isStoreAway(withCode(code))).toBe(false);
      expect(isStoreAway(fromDriver(code))).toBe(false);
    },
  );

  it('recognises what the driver says without a code', () => {
    expect(isStoreAway(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isStoreAway(new Error('something else'))).toBe(false);
    expect(isStoreAway(undefined)).toBe(false);
  });

  it('recognises a host whose addresses all refused', () => {
    expect(isStoreAway(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(true);
  });
});

describe('isUniqueViolation', () => {
  it.each(['23505', 'SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'])('recognises %s', (code) => {
    expect(isUniqueViolation(fromDriver(code))).toBe(true);
  });

  it.each(['23503', 'SQLITE_CONSTRAINT_FOREIGNKEY', 'SQLITE_CONSTRAINT_NOTNULL'])(
    'leaves %s alone',
    (code) => {
      expect(isUniqueViolation(fromDriver(code))).toBe(false);
    },
  );
});
