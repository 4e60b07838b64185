import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { TestStores } from '../../test/support/test-stores.js';
import type { ThrottleConfig } from '../config/config.js';
import { Throttle } from './throttle.js';
import { ThrottleCounterRepository } from './throttle-counter.repository.js';

const rule = (limit: number, pauseSeconds = 0) => ({ limit, windowSeconds: 600, pauseSeconds });
const config: ThrottleConfig = {
  processes: 1,
  failuresPerUser: rule(3, 60),
  failuresPerAddress: rule(5),
  signUpsPerAddress: rule(2),
  guestsPerAddress: rule(2),
};
const ALICE = { userId: 1 };
const HOME = '192.0.2.1';

describeOnEachDatabase('Throttle', (kind) => {
  let open: TestStores;
  let clock: ManualClock;
  let counters: ThrottleCounterRepository;
  let throttle: Throttle;

  beforeAll(async () => {
    open = await TestStores.open(kind);
    counters = new ThrottleCounterRepository(open.transactions);
  });
  afterAll(() => open.close());
  beforeEach(async () => {
    clock = new ManualClock();
    throttle = new Throttle(config, counters, clock);
    await open.transactions.run(() => open.transactions.query('DELETE FROM throttle_counters'));
  });

  const wrong = () => Promise.resolve(null);
  const right = () => Promise.resolve('yes');
  const tryAs = (
    subject: { userId: number },
    address = HOME,
    outcome: () => Promise<string | null> = wrong,
  ) => throttle.attempt(subject, address, outcome).catch((error: { code: string }) => error.code);
  const failTimes = async (times: number, address?: (i: number) => string) => {
    const outcomes: unknown[] = [];
    for (let i = 0; i < times; i += 1) outcomes.push(await tryAs(ALICE, address?.(i)));
    return outcomes;
  };

  it('pauses a user after so many refusals, wherever they come from, and lets them in again after the pause', async () => {
    const somewhere = (i: number) => `198.51.100.${i}`;
    expect(await failTimes(4, somewhere)).toEqual([null, null, null, 'too_many_requests']);
    clock.advance({ seconds: 60 });
    expect(await tryAs(ALICE, HOME, right)).toBe('yes');
  });

  it('renews the pause with each refusal within the window', async () => {
    await failTimes(3);
    clock.advance({ seconds: 60 });
    expect(await failTimes(2)).toEqual([null, 'too_many_requests']);
  });

  it('forgets refusals of a user who got in', async () => {
    await failTimes(2);
    await tryAs(ALICE, HOME, right);
    expect(await failTimes(3)).toEqual([null, null, null]);
  });

  it('shuts an address out after so many refusals, whoever was tried, until the window is over', async () => {
    for (let userId = 1; userId <= 5; userId += 1) expect(await tryAs({ userId })).toBeNull();
    expect(await tryAs({ userId: 6 }, HOME, right)).toBe('too_many_requests');
    expect(await tryAs({ userId: 6 }, '192.0.2.2', right)).toBe('yes');
    clock.advance({ seconds: 600 });
    expect(await tryAs({ userId: 6 }, HOME, right)).toBe('yes');
  });

  it('C-10 lets no provider that is slow to answer use up the tries of an address', async () => {
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const waiting = Array.from({ length: 100 }, () =>
      throttle.attemptFrom(HOME, () => answered.then(() => 'yes')),
    );
    expect(await throttle.attemptFrom(HOME, right)).toBe('yes');
    expect(await tryAs(ALICE, HOME, right)).toBe('yes');
    answer();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['yes']));
  });

  it('counts by the address what providers refuse', async () => {
    const refuse = () => throttle.attemptFrom(HOME, wrong).catch((error: { code: string }) => error.code);
    const outcomes = [];
    for (let i = 0; i < 6; i += 1) outcomes.push(await refuse());
    expect(outcomes).toEqual([null, null, null, null, null, 'too_many_requests']);
  });

  it('looks an address that nothing is counted of up once a second, and hears of what others count there by then', async () => {
    const elsewhere = new Throttle(config, counters, clock);
    const lookedUp: string[][] = [];
    const watched = Object.assign(Object.create(counters) as ThrottleCounterRepository, {
      find: (keys: readonly string[]) => {
        lookedUp.push([...keys]);
        return counters.find(keys);
      },
    });
    throttle = new Throttle(config, watched, clock);
    const comeIn = () => throttle.attemptFrom(HOME, right).catch((error: { code: string }) => error.code);
    for (let i = 0; i < 3; i += 1) expect(await comeIn()).toBe('yes');
    expect(lookedUp).toHaveLength(1);
    for (let i = 0; i < 5; i += 1) await elsewhere.attemptFrom(HOME, wrong);
    clock.advance({ milliseconds: 1001 });
    expect(await comeIn()).toBe('too_many_requests');
    expect(lookedUp).toHaveLength(2);
  });

  it('forgets that nothing is counted of an address with the first refusal there, whatever was tried', async () => {
    expect(await throttle.attemptFrom(HOME, right)).toBe('yes');
    for (let user = 1; user <= 5; user += 1) await throttle.attempt({ userId: user }, HOME, wrong);
    await expect(throttle.attemptFrom(HOME, right)).rejects.toMatchObject({ code: 'too_many_requests' });
  });

  it('counts tries that are under way: a hundred at once are not a hundred free ones', async () => {
    let run = 0;
    const attempts = Array.from({ length: 100 }, () =>
      tryAs(ALICE, HOME, () => {
        run += 1;
        return Promise.resolve(null);
      }),
    );
    await Promise.all(attempts);
    expect(run).toBeLessThanOrEqual(config.failuresPerUser.limit);
    expect(run).toBeGreaterThan(0);
  });

  it('counts on in another process and after a restart', async () => {
    await failTimes(3);
    const restarted = new Throttle(config, counters, clock);
    await expect(restarted.attempt(ALICE, HOME, right)).rejects.toMatchObject({ code: 'too_many_requests' });
  });

  it('says when to come back', async () => {
    await failTimes(3);
    await expect(throttle.attempt(ALICE, HOME, right)).rejects.toMatchObject({ retryAfterSeconds: 60 });
  });

  it('does not count what failed for another reason', async () => {
    const broken = () => Promise.reject(Object.assign(new Error(), { code: 'busy' }));
    for (let i = 0; i < 5; i += 1) expect(await tryAs(ALICE, HOME, broken)).toBe('busy');
    expect(await tryAs(ALICE, HOME, right)).toBe('yes');
  });

  it('counts a name of nobody like a user, so that the difference does not show', async () => {
    const nobody = { applicationId: 1, kind: 'login', key: 'nobody' };
    for (let i = 0; i < 3; i += 1) await throttle.attempt(nobody, `198.51.100.${i}`, wrong);
    await expect(throttle.attempt(nobody, HOME, wrong)).rejects.toMatchObject({ code: 'too_many_requests' });
    const keys = await open.transactions.query<{ key: string }>('SELECT key FROM throttle_counters');
    expect(JSON.stringify(keys)).not.toContain('nobody');
  });

  it('lets an address do so many acts of a kind', async () => {
    await throttle.spend('guest', HOME);
    await throttle.spend('guest', HOME);
    await throttle.spend('sign_up', HOME);
    await expect(throttle.spend('guest', HOME)).rejects.toMatchObject({ code: 'too_many_requests' });
    clock.advance({ seconds: 600 });
    await throttle.spend('guest', HOME);
  });

  it('removes counters that count nothing any more', async () => {
    await throttle.spend('guest', HOME);
    clock.advance({ seconds: 601 });
    await open.transactions.run(() => counters.removeLapsed(clock.now(), 10));
    expect(await counters.find([`guest:${HOME}`])).toEqual([]);
  });
});
