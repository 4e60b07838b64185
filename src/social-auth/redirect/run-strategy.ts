import type { Strategy } from 'passport';
import { BrokerError } from '../../errors/broker-error.js';

/** What a passport strategy came to. */
export type StrategyOutcome<Result> =
  { readonly kind: 'redirect'; readonly url: URL } | { readonly kind: 'success'; readonly result: Result };

/**
 * Runs a passport strategy once, outside of passport's middleware: strategies there are global by name and want
 * Express, while providers here are rows of a database and each request makes a strategy of its own.
 *
 * @param query the callback's query; empty to begin.
 * @param options what the strategy's `authenticate` takes.
 * @param signal when it is aborted, the strategy is not waited for any longer.
 * @throws whatever the strategy reports as an error; BrokerError `invalid_credentials` where it says no, as when the
 *   person declined.
 */
export function runStrategy<Result>(
  strategy: Strategy,
  query: Readonly<Record<string, string>>,
  options: object,
  signal: AbortSignal,
): Promise<StrategyOutcome<Result>> {
  return new Promise((resolve, reject) => {
    const abandon = () =>
      reject(new BrokerError('identity_provider_unavailable', { cause: new Error('no answer in time') }));
    if (signal.aborted) return abandon();
    signal.addEventListener('abort', abandon, { once: true });
    Object.assign(strategy, {
      redirect: (url: string) => resolve({ kind: 'redirect', url: new URL(url) }),
      success: (result: Result) => resolve({ kind: 'success', result }),
      fail: () => reject(new BrokerError('invalid_credentials')),
      pass: () => reject(new BrokerError('invalid_credentials')),
      error: reject,
    });
    // Strategies take Express requests; of those they read the query.
    (strategy.authenticate as (request: object, options: object) => void).call(
      strategy,
      { query, headers: {}, url: '/' },
      options,
    );
  });
}
