import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { BrokerError } from '../errors/broker-error.js';
import { errorCatalog } from '../errors/error-catalog.js';
import { problemHeaders, toBrokerError, toProblemDetails } from './problem-details.js';

describe('toBrokerError', () => {
  it('keeps what is of the catalogue already', () => {
    const error = new BrokerError('forbidden');
    expect(toBrokerError(error)).toBe(error);
  });

  it.each([
    ['a route that is not there', new NotFoundException('Cannot GET /x?token=secret'), 'route_not_found'],
    [
      'an oversize body',
      Object.assign(new Error(), { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }),
      'request_too_large',
    ],
    ['a database that is away', Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'store_unavailable'],
    ['a mistake of ours', new TypeError('x is not a function'), 'internal_error'],
    ['a thrown text', 'oops', 'internal_error'],
    ['nothing', undefined, 'internal_error'],
  ])('words %s', (_, thrown, code) => {
    expect(toBrokerError(thrown).code).toBe(code);
  });

  it('forgets the message of a framework error, which quotes the path', () => {
    expect(toBrokerError(new NotFoundException('Cannot GET /x?token=secret')).cause).toBeUndefined();
  });

  it('says when to come back to a database that is away', () => {
    const error = toBrokerError(Object.assign(new Error(), { code: 'ECONNREFUSED' }));
    expect(problemHeaders(error)).toEqual({ 'retry-after': '2' });
  });
});

describe('toProblemDetails', () => {
  it('shows the words of the catalogue and never the cause', () => {
    const error = new BrokerError('internal_error', { cause: new Error('SELECT * FROM users') });
    const problem = toProblemDetails(error, 'r-1');
    expect(problem).toEqual({
      type: 'urn:ostiary:problem:internal_error',
      title: errorCatalog.internal_error.title,
      status: 500,
      code: 'internal_error',
      request_id: 'r-1',
    });
  });

  it('says where the input is at fault', () => {
    const errors = [{ pointer: '/login', code: 'required', detail: 'is needed' }];
    expect(toProblemDetails(new BrokerError('validation_failed', { errors }), 'r')).toMatchObject({ errors });
  });
});

describe('problemHeaders', () => {
  it('challenges with the scheme that would help', () => {
    expect(problemHeaders(new BrokerError('invalid_client'))['www-authenticate']).toMatch(/^Basic /);
    expect(problemHeaders(new BrokerError('authentication_required'))['www-authenticate']).toBe(
      'Bearer realm="ostiary"',
    );
    expect(problemHeaders(new BrokerError('session_ended'))['www-authenticate']).toContain(
      'error="invalid_token"',
    );
  });

  it('rounds seconds up, and never says zero', () => {
    const headers = (retryAfterSeconds: number) =>
      problemHeaders(new BrokerError('busy', { retryAfterSeconds }));
    expect(headers(0.1)['retry-after']).toBe('1');
    expect(headers(1.2)['retry-after']).toBe('2');
  });
});
