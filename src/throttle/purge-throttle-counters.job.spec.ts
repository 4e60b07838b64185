import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { runPass } from '../../test/support/job-process.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { TestStores } from '../../test/support/test-stores.js';
import { PurgeThrottleCountersJob } from './purge-throttle-counters.job.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

describeOnEachDatabase('PurgeThrottleCountersJob', (kind) => {
  let open: TestStores;
  let clock: ManualClock;
  let job: PurgeThrottleCountersJob;

  beforeAll(async () => {
    open = await TestStores.open(kind);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    clock = new ManualClock();
    job = new PurgeThrottleCountersJob(new ThrottleCounterRepository(open.transactions), clock);
    await sql('DELETE FROM throttle_counters');
  });

  const sql = <Row>(statement: string, values = {}) =>
    open.transactions.run(() => open.transactions.query<Row>(statement, values));
  const aCounter = (key: string, windowEndsAt: number, pausedUntil = 0) =>
    sql(
      'INSERT INTO throttle_counters (key, count, window_ends_at, paused_until) VALUES (:key, 1, :windowEndsAt, :pausedUntil)',
      {
        key,
        windowEndsAt,
        pausedUntil,
      },
    );

  it('removes counters whose window and pause are over, from that instant on', async () => {
    const now = clock.now();
    await aCounter('over', now, now);
    await aCounter('counting', now + 1);
    await aCounter('paused', now - 1, now + 1);
    await runPass(open.transactions, job);
    expect(await sql('SELECT key FROM throttle_counters ORDER BY key')).toEqual([
      { key: 'counting' },
      { key: 'paused' },
    ]);
  });

  it('works in batches', async () => {
    const values = Array.from({ length: 900 }, (_, i) => `('k${i}', 1, 0, 0)`).join(', ');
    await sql(`INSERT INTO throttle_counters (key, count, window_ends_at, paused_until) VALUES ${values}`);
    expect(await runPass(open.transactions, job)).toEqual([400, 400, 100]);
  });
});
