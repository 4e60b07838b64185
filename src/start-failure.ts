import { ConfigurationError } from './config/config.loader.js';
import { NewerSchemaError } from './persistence/migrator.js';
import { SqliteDriverMissingError } from './persistence/sqlite-driver.js';
import { isStoreAway } from './persistence/store-errors.js';
import { MissingMasterKeyError, WrongMasterKeyError } from './secrets/open-secrets.js';
import { NoNewKeyError } from './secrets/secret-rotation.js';

const SAID_WELL = [
  ConfigurationError,
  NewerSchemaError,
  WrongMasterKeyError,
  MissingMasterKeyError,
  NoNewKeyError,
  SqliteDriverMissingError,
];

/** What to tell a person whose server or command did not start: one clear sentence, or the stack if we have none. */
export function sayWhatStopped(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (SAID_WELL.some((kind) => error instanceof kind)) return error.message;
  const { code, path } = ((error as { driverError?: unknown }).driverError ?? error) as {
    code?: string;
    path?: string;
  };
  switch (code) {
    case 'EADDRINUSE':
      return 'The port is taken by another process. Stop that one, or set PORT.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'SQLITE_READONLY':
    case 'SQLITE_READONLY_DIRECTORY':
    case 'SQLITE_READONLY_DBMOVED':
    case 'SQLITE_CANTOPEN':
      return `The data folder cannot be written${path ? ` (${path})` : ''}. Give the user that runs Ostiary write access to DATA_DIR, or set DATA_DIR to another folder.`;
    case 'SQLITE_BUSY':
    case 'SQLITE_BUSY_RECOVERY':
      return 'Another process holds the database file for itself. End that one (a backup, a database browser), and start again.';
    case 'SQLITE_NOTADB':
    case 'SQLITE_CORRUPT':
      return 'The database file is damaged or no SQLite database. Restore it from a backup, or set DATABASE_URL to another file.';
    case '28P01':
    case '28000':
      return 'PostgreSQL refused the user or password of DATABASE_URL.';
    case '3D000':
      return 'The database that DATABASE_URL names does not exist on that PostgreSQL server. Create it first.';
    default:
      break;
  }
  if (error instanceof RangeError && error.message.startsWith('a master key'))
    return `MASTER_KEY: ${error.message}.`;
  if (isStoreAway(error))
    return 'The database cannot be reached. Check DATABASE_URL and that the server is running.';
  return error.stack ?? error.message;
}
