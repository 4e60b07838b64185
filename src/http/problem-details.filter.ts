import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BrokerError } from '../errors/broker-error.js';
import { errorCatalog, type ErrorEntry } from '../errors/error-catalog.js';
import { errorFields, type Logger } from '../observability/logger.js';
import { PROBLEM_TYPE, problemHeaders, toBrokerError, toProblemDetails } from './problem-details.js';

/** The one place where an error becomes an answer. The cause goes to the log, the catalogue's words to the client. */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    // The client broke off its own body: by its code (ECONNRESET), the error could be the database's.
    const isBrokenOff = request.raw.errored !== null && thrown === request.raw.errored;
    const error = isBrokenOff ? new BrokerError('malformed_request') : toBrokerError(thrown);
    this.log(error, request.id);
    if (reply.sent || reply.raw.headersSent) return;
    void reply
      .code(errorCatalog[error.code].status)
      .headers(problemHeaders(error))
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(toProblemDetails(error, request.id)));
  }

  private log(error: BrokerError, requestId: string): void {
    const level = errorCatalog[error.code].log;
    const { cause } = error;
    // An expected refusal is a word in the request's own line; a stack is for what somebody has to look into, and a
    // client that is told to wait must not be able to fill the log with them.
    if (level === 'info' && cause === undefined) return;
    const detail = level === 'info' ? { cause: (cause as Error).message } : this.detail(level, error);
    this.logger[level]({ request_id: requestId, code: error.code, ...detail }, 'request failed');
  }

  private detail(level: ErrorEntry['log'], error: BrokerError): object {
    if (error.cause === undefined && level !== 'error') return {};
    return errorFields(error.cause ?? error);
  }
}
