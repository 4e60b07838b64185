import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.js';

/** Where Nest reports a failure to start, which it also throws; `main` and the command line say that to people. */
const SAID_ELSEWHERE = new Set(['ExceptionHandler', 'NestApplication']);

/** Lets Nest's own messages go the way of ours. Its start-up chatter is of interest at `debug` only. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context: context.at(-1) }, String(message));
  }

  debug(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context: context.at(-1) }, String(message));
  }

  verbose(message: unknown, ...context: unknown[]): void {
    this.logger.debug({ context: context.at(-1) }, String(message));
  }

  warn(message: unknown, ...context: unknown[]): void {
    this.logger.warn({ context: context.at(-1) }, String(message));
  }

  error(message: unknown, ...details: unknown[]): void {
    const context = details.at(-1);
    const level = typeof context === 'string' && SAID_ELSEWHERE.has(context) ? 'debug' : 'error';
    this.logger[level]({ context }, String(message));
  }

  fatal(message: unknown, ...context: unknown[]): void {
    this.logger.error({ context: context.at(-1) }, String(message));
  }
}
