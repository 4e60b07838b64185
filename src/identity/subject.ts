import { BrokerError } from '../errors/broker-error.js';

/** As long as the column that keeps it. */
const MAX_SUBJECT_CHARACTERS = 255;

/** What programs write where they had nothing to write. */
const NOBODY = new Set(['null', 'undefined', 'none', 'nan', 'infinity', '-infinity', '[object object]']);

/**
 * The provider's key for a person, from what the provider answered. Providers that answer 200 with an error body have
 * signed strangers in as user "undefined" or 0 elsewhere; JSON numbers beyond 2^53 have made two people one.
 *
 * @param value text, or a whole number that a double holds exactly.
 * @throws BrokerError `invalid_credentials` for everything else, also `""`, `0`, `null` and the words for nothing.
 */
export function toSubject(value: unknown): string {
  const subject =
    typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? String(value) : value;
  if (typeof subject !== 'string' || !isSubject(subject)) {
    throw new BrokerError('invalid_credentials', {
      cause: new Error('the provider names no usable subject'),
    });
  }
  return subject;
}

function isSubject(text: string): boolean {
  return (
    text.length <= MAX_SUBJECT_CHARACTERS &&
    text.trim() !== '' &&
    text !== '0' &&
    text.isWellFormed() &&
    // eslint-disable-next-line no-control-regex -- control characters are what this looks for
    !/[\u0000-\u001f\u007f]/.test(text) &&
    !NOBODY.has(text.toLowerCase())
  );
}
