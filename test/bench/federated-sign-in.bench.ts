import type { Bench } from './support/bench.js';
import { CONCURRENCY, measureBrokered } from './support/brokered.js';

export const federatedSignIn: Bench = {
  name: 'federated-sign-in',
  asks: 'POST /v1/sessions with a Facebook access token beside the same two calls to the same Graph without a broker',
  goals: [`known users, ${CONCURRENCY} at once: p95 at most 3 ms above that of the direct calls`],
  run: (context) =>
    measureBrokered(
      {
        provider: 'graph',
        definition: (url, { appId, secret }) => ({
          kind: 'facebook',
          options: { apps: { [appId]: { app_secret: secret } }, graph_url: url },
        }),
        credential: (token) => ({ access_token: token }),
      },
      context,
    ),
};
