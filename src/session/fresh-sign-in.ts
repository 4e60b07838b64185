import { BrokerError } from '../errors/broker-error.js';
import type { Session } from './session.js';

/** How long ago somebody may have proved who they are, to change how they get in. */
const FRESH_MILLISECONDS = 10 * 60 * 1000;

/** A stolen session must not be enough to take an account over for good. @throws BrokerError `fresh_sign_in_required` */
export function requireFreshSignIn({ authTime }: Session, now: number): void {
  if (authTime === null || now - authTime > FRESH_MILLISECONDS) {
    throw new BrokerError('fresh_sign_in_required');
  }
}
