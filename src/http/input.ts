import { z } from 'zod';
import { BrokerError, type InputFault } from '../errors/broker-error.js';

/** More faults than a person fixes at once; the rest would only make the answer long. */
const MAX_FAULTS = 20;

/**
 * Text as people type it: no control characters but line breaks and tabs (PostgreSQL cannot store NUL), no halves of
 * surrogate pairs (they are not text).
 */
export function text(maxCharacters: number) {
  return z
    .string()
    .max(maxCharacters)
    .refine((value) => value.isWellFormed() && !hasControls(value), {
      error: 'must not contain control characters',
      params: { code: 'control_character' },
    });
}

/** One line of text that is not empty. */
export function line(maxCharacters: number) {
  return text(maxCharacters).refine((value) => value.trim() !== '' && !/[\r\n\t]/.test(value), {
    error: 'must be one line and not empty',
    params: { code: 'not_one_line' },
  });
}

/** A time as people and programs write it (RFC 3339), or a day, which begins in UTC. For `Date.parse`. */
export function time() {
  return z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a time such as 2026-01-31T08:00:00Z, or a day',
  });
}

/** A password as sent: any text but NUL and halves of surrogate pairs. Its length is judged as characters later. */
export function passwordText(maxCharacters: number) {
  return z
    .string()
    .max(maxCharacters * 2)
    .refine((value) => value.isWellFormed() && !value.includes('\0'), {
      error: 'must be text without NUL',
      params: { code: 'control_character' },
    });
}

function hasControls(value: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what this looks for
  return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(value);
}

type Issue = z.core.$ZodIssue & { readonly params?: { readonly code?: unknown } };

/**
 * The `exceptionFactory` of the validation pipe. Issues come from zod, the one schema library.
 *
 * @param base where in the body the value stood that the issues are about.
 */
export function inputError(issues: readonly object[], base: readonly string[] = []): BrokerError {
  const errors = (issues as Issue[]).flatMap((issue) => faultsOf(issue, base)).slice(0, MAX_FAULTS);
  return new BrokerError('validation_failed', { errors });
}

function faultsOf(issue: Issue, base: readonly PropertyKey[]): InputFault[] {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: toPointer([...path, key.slice(0, 64)]),
      code: 'unknown_field',
      detail: 'is not a field of this request',
    }));
  }
  return [{ pointer: toPointer(path), code: faultCode(issue), detail: issue.message }];
}

function faultCode(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'required' : 'invalid_type';
    case 'too_big':
      return 'too_long';
    case 'too_small':
      return 'too_short';
    case 'custom':
      return typeof issue.params?.code === 'string' ? issue.params.code : 'invalid_value';
    default:
      return issue.code;
  }
}

/** RFC 6901. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
