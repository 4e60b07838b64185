import { BrokerError } from '../../errors/broker-error.js';
import type { TokenJudge } from './token-judge.js';

/** Stands where an emulator may not be asked: with it, everybody is everybody. */
export class RefusedEmulatorJudge implements TokenJudge {
  readonly origin = 'unsigned';

  /** @throws BrokerError always. */
  judge(): Promise<never> {
    const cause = new Error('Firebase emulators are refused under NODE_ENV=production');
    return Promise.reject(new BrokerError('identity_provider_misconfigured', { cause }));
  }
}
