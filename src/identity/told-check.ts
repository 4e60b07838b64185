import { BrokerError } from '../errors/broker-error.js';
import type { VerificationTrace } from '../observability/verification-trace.js';

const MAX_SHOWN_CHARACTERS = 300;

/** A check of something that somebody presents, or that their provider says of them. */
export interface Check {
  /** In the protocol's words: `iss`, `aud`, `exp`, … */
  readonly name: string;
  /** Why it is refused: a fixed text, for the log. */
  readonly reason: string;
}

/**
 * Makes a check and tells whoever watches. What was expected and found goes to the trace alone.
 *
 * @throws BrokerError `invalid_credentials` unless it is passed.
 */
export function toldCheck(
  trace: VerificationTrace | undefined,
  check: Check,
  passed: boolean,
  expected: unknown,
  found: unknown,
): void {
  trace?.check({ name: check.name, passed, detail: `expected ${shown(expected)}, found ${shown(found)}` });
  if (passed) return;
  throw new BrokerError('invalid_credentials', { cause: new Error(`token refused: ${check.reason}`) });
}

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.slice(0, MAX_SHOWN_CHARACTERS);
}
