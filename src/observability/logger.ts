import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import type { LogConfig } from '../config/config.js';
import { currentRequest } from './request-context.js';

/** Structured logging: a short fixed message plus fields. Never a credential, a token or a whole body. */
export abstract class Logger {
  abstract isLevelEnabled(level: string): boolean;
  abstract debug(fields: object, message: string): void;
  abstract info(fields: object, message: string): void;
  abstract warn(fields: object, message: string): void;
  abstract error(fields: object, message: string): void;
}

/** Fields that would carry a secret if somebody logged a whole object by mistake. */
const NEVER_LOGGED = [
  'authorization',
  'password',
  'old_password',
  'token',
  'refresh_token',
  'auth_secret',
  'secret',
  'credential',
  'cookie',
];

/** A JSON line an entry on stdout (or `destination`), each with the id of the request it belongs to. */
export function createLogger(config: LogConfig, destination?: DestinationStream): PinoLogger {
  return pino(
    {
      level: config.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: NEVER_LOGGED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      mixin: () => {
        const request = currentRequest();
        return request?.id ? { request_id: request.id } : {};
      },
    },
    destination ?? pino.destination(1),
  );
}

/** What may be said of an error in the log: class, code, message and stack of the chain, but no driver's parameters. */
export function errorFields(error: unknown): object {
  if (!(error instanceof Error)) return { error: { message: 'a value that is no Error was thrown' } };
  const { driverError, code } = error as { driverError?: unknown; code?: unknown };
  return {
    error: {
      name: error.name,
      code: typeof code === 'string' ? code : undefined,
      // TypeORM puts the statement and its values, passwords' hashes among them, into fields beside the message.
      message: driverError instanceof Error ? driverError.message : error.message,
      stack: error.stack,
    },
    ...(error.cause !== undefined && { cause: (errorFields(error.cause) as { error: object }).error }),
  };
}
