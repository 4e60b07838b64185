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
    text !== '' &&
    text === text.trim() &&
    text !== '0' &&
    text.isWellFormed() &&
    // Controls and characters that nobody sees: two people would have one name in every log and list.
    !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) &&
    !NOBODY.has(text.toLowerCase())
  );
}
