import type { Bench } from './support/bench.js';
import { CONCURRENCY, measureBrokered } from './support/brokered.js';

export const cidp: Bench = {
  name: 'cidp',
  asks: "POST /v1/sessions with a partner's token beside the same call to the same partner without a broker",
  goals: [
    `known users, ${CONCURRENCY} at once: p95 at most 3 ms above that of the direct call`,
    'instant partner: at least 1500 sign-ins per second of one processor',
  ],
  run: (context) =>
    measureBrokered(
      {
        provider: 'partner',
        definition: (url) => ({
          kind: 'http',
          options: {
            url: `${url}/verify`,
            method: 'POST',
            params: { token: '#{token}' },
            mapping: {
              uid: '#{user.id}',
              login: '#{user.login}',
              full_name: '#{user.name}',
              email: '#{user.email}',
            },
          },
        }),
        credential: (token) => ({ token }),
        perProcessorGoal: 1500,
      },
      context,
    ),
};
