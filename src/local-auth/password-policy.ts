import type { ApplicationSettings } from '../applications/application-settings.js';
import type { InputFault } from '../errors/broker-error.js';

/** NIST SP 800-63B-4 asks for at least 64; this many cost no more to hash than eight. */
export const MAX_PASSWORD_CHARACTERS = 1024;

/** What a password must not be, beside the list of common ones. */
export interface PasswordContext {
  readonly applicationName: string;
  /** Login, e-mail address, phone number. */
  readonly identifiers: readonly string[];
}

/**
 * The form in which a password is judged, hashed and compared: NFKC (NIST SP 800-63B-4 §3.1.1.2), so that it is the
 * same from every keyboard. Nothing is cut off and no space is dropped.
 */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/** Characters as people count them: Unicode code points. */
export function countCharacters(password: string): number {
  let count = 0;
  for (const _ of password) count += 1;
  return count;
}

/**
 * Why a normalised password may not be chosen, or null. No rules about kinds of characters: they make passwords worse.
 *
 * @param isCommon whether the list of common passwords has it, in lower case.
 */
export function passwordFault(
  password: string,
  settings: ApplicationSettings,
  context: PasswordContext,
  isCommon: (lowerCase: string) => boolean,
): InputFault | null {
  const characters = countCharacters(password);
  const lowerCase = password.toLowerCase();
  const fault = (code: string, detail: string): InputFault => ({ pointer: '/password', code, detail });
  if (characters < settings.password_min_length) {
    return fault('too_short', `must have at least ${settings.password_min_length} characters`);
  }
  if (characters > MAX_PASSWORD_CHARACTERS) {
    return fault('too_long', `must have at most ${MAX_PASSWORD_CHARACTERS} characters`);
  }
  if (context.identifiers.some((identifier) => isMadeOf(lowerCase, identifier))) {
    return fault('same_as_identifier', 'must not be the login, e-mail address or phone number');
  }
  if (settings.common_passwords === 'allow') return null;
  if (isMadeOf(lowerCase, context.applicationName)) {
    return fault('too_common', 'must not be the name of the application');
  }
  return isCommon(lowerCase) ? fault('too_common', 'is among the passwords that are tried first') : null;
}

function isMadeOf(lowerCase: string, name: string): boolean {
  const known = normalisePassword(name).toLowerCase();
  return lowerCase === known || lowerCase === known.replace(/\s+/g, '') || lowerCase === known.split('@')[0];
}
