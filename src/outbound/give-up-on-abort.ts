import { BrokerError } from '../errors/broker-error.js';

/**
 * Waits for what cannot be cancelled, but not for longer than the signal lets it. The work goes on unheard.
 *
 * @param reason a fixed text, for the log. @throws BrokerError `identity_provider_unavailable` once the signal is aborted; else what the work throws.
 */
export async function giveUpOnAbort<T>(
  work: Promise<T>,
  signal: AbortSignal,
  reason = 'no answer in time',
): Promise<T> {
  let abandon = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    abandon = () => reject(new BrokerError('identity_provider_unavailable', { cause: new Error(reason) }));
  });
  signal.addEventListener('abort', abandon, { once: true });
  if (signal.aborted) abandon();
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', abandon);
  }
}
