/** What a driver put into an error: SQLite's `SQLITE_…`, PostgreSQL's SQLSTATE, or Node's `ECONN…`. */
function driverCode(error: unknown): string | undefined {
  const { driverError, code } = (error ?? {}) as { driverError?: { code?: unknown }; code?: unknown };
  const found = driverError?.code ?? code;
  return typeof found === 'string' ? found : undefined;
}

/** Another row already holds a value that must be unique. On PostgreSQL the transaction is dead with it. */
export function isUniqueViolation(error: unknown): boolean {
  const code = driverCode(error);
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}

/** Another connection holds SQLite's write lock. */
export function isLocked(error: unknown): boolean {
  return driverCode(error)?.startsWith('SQLITE_BUSY') ?? false;
}

/** PostgreSQL chose this transaction as the victim of a deadlock or a conflict; the whole may be tried again. */
export function isConflict(error: unknown): boolean {
  const code = driverCode(error);
  return code === '40001' || code === '40P01';
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** SQLSTATE classes: 08 connection, 53 resources, 57 operator intervention, 58 system; 25006 a read-only replica. */
const AWAY = /^(08|53|57|58)|^25006$/;

/** SQLite: the file is locked for too long, gone, full, read-only or unreadable. */
const SQLITE_AWAY = /^SQLITE_(BUSY|LOCKED|CANTOPEN|IOERR|FULL|READONLY|NOTADB|CORRUPT)/;

/** What `pg` and its pool say without giving a code. */
const UNCODED = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client has encountered a connection error',
  'Cannot use a pool after calling end',
];

/** The database cannot be reached or cannot answer now: the caller's request is not at fault. */
export function isStoreAway(error: unknown): boolean {
  const code = driverCode(error);
  if (code !== undefined) return NETWORK.has(code) || AWAY.test(code) || SQLITE_AWAY.test(code);
  if (error instanceof AggregateError) return error.errors.some(isStoreAway);
  const message = error instanceof Error ? error.message : '';
  return UNCODED.some((text) => message.includes(text));
}
