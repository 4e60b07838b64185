import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { Histogram } from './histogram.js';
import type { LoadReport } from './load-generator.js';

/*
 * An app that asks a provider by itself: the calls of a sign-in with the server's HTTP client, and nothing else. A process
 * of its own, run by `provider.ts`.
 */

export interface DirectOrder {
  /** Graph is asked twice, a partner once. */
  readonly provider: 'graph' | 'partner';
  readonly url: string;
  readonly appId: string;
  readonly secret: string;
  readonly tokens: readonly string[];
  /** Sign-ins under way at once. */
  readonly concurrency: number;
  readonly seconds: number;
}

export type DirectReport = Pick<LoadReport, 'requests' | 'seconds' | 'latency'>;

process.once('message', (order: DirectOrder) => {
  run(order).then(
    (report) => process.send!(report, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.once('disconnect', () => process.exit(1));

async function run(order: DirectOrder): Promise<DirectReport> {
  const { appId, secret, tokens, concurrency } = order;
  const dispatcher = new Agent({ connections: concurrency });
  const get = async (path: string, bearer: string) => {
    const headers = { accept: 'application/json', authorization: `Bearer ${bearer}` };
    const answer = await request(`${order.url}/v25.0/${path}`, { dispatcher, headers });
    if (answer.statusCode !== 200) throw new Error(`Graph answered ${answer.statusCode}.`);
    return answer.body.json();
  };
  const askGraph = async (token: string) => {
    await get(`debug_token?input_token=${token}`, `${appId}|${secret}`);
    const proof = createHmac('sha256', secret).update(token).digest('hex');
    await get(`me?fields=id%2Cname%2Cemail%2Cpicture&appsecret_proof=${proof}`, token);
  };
  const askPartner = async (token: string) => {
    const answer = await request(`${order.url}/verify`, {
      dispatcher,
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (answer.statusCode !== 200) throw new Error(`The partner answered ${answer.statusCode}.`);
    await answer.body.json();
  };
  const ask = order.provider === 'graph' ? askGraph : askPartner;
  const latencies = new Histogram();
  const startedAt = performance.now();
  const endsAt = startedAt + order.seconds * 1000;
  let asked = 0;
  let answered = 0;
  const lane = async () => {
    while (performance.now() < endsAt) {
      const token = tokens[asked % tokens.length]!;
      asked += 1;
      const began = performance.now();
      await ask(token);
      latencies.add(performance.now() - began);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return {
    requests: answered,
    seconds: (performance.now() - startedAt) / 1000,
    latency: latencies.summary(),
  };
}
