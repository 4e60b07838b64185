import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeOnEachDatabase } from '../../test/support/databases.js';
import { ManualClock } from '../../test/support/manual-clock.js';
import { OutboxProcess } from '../../test/support/outbox-process.js';
import { TestStores } from '../../test/support/test-stores.js';
import type { NewMessage } from './outbox-message.js';
import { DeliveryError } from './outbox-topic.js';

const DAY = 24 * 60 * 60_000;

const aMessage = (more: Partial<NewMessage> = {}): NewMessage => ({
  topic: 'test',
  target: 'somebody',
  payload: { n: 1 },
  ...more,
});

describeOnEachDatabase('the outbox', (kind) => {
  let first: TestStores;
  let second: TestStores;
  let clock: ManualClock;
  let delivered: unknown[];
  let running: OutboxProcess[];

  beforeEach(async () => {
    first = await TestStores.open(kind);
    second = await TestStores.open(kind, { database: first.database });
    clock = new ManualClock();
    delivered = [];
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map(({ runner }) => runner.stop()));
    await second.close();
    await first.close();
  });

  const aProcess = (stores = first) => {
    const process = new OutboxProcess(stores.transactions, clock);
    running.push(process);
    return process;
  };
  /** A process that delivers everything, and writes down what. */
  const honest = (stores = first) =>
    aProcess(stores).on('test', ({ payload }) => {
      delivered.push((payload as { n: unknown }).n);
      return 'done';
    });
  /** A process whose deliveries fail for as long as `isDown`. */
  const failing = (isDown: () => boolean, isTargetAtFault = true) =>
    aProcess().on('test', ({ payload }) => {
      if (isDown()) throw new DeliveryError('http_500', isTargetAtFault);
      delivered.push((payload as { n: unknown }).n);
      return 'done';
    });
  const numbered = (count: number, more: Partial<NewMessage> = {}) =>
    Array.from({ length: count }, (_, n) => aMessage({ payload: { n }, ...more }));
  const all = (process: OutboxProcess) => process.desk.list({ isFailed: false, afterId: 0, limit: 1000 });

  it('delivers what was added, in its order, and keeps nothing of it', async () => {
    const process = honest();
    await process.outbox.add(numbered(10));
    await process.runner.runDue();
    expect(delivered).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await all(process)).toEqual([]);
  });

  it('tells nobody of what was undone', async () => {
    const process = honest();
    const undone = first.transactions.run(async () => {
      await process.outbox.add([aMessage()]);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await process.runner.runDue();
    expect([delivered, await all(process)]).toEqual([[], []]);
  });

  it('delivers right after the commit where it is started, without being asked', async () => {
    const process = aProcess();
    const heard = new Promise<unknown>((resolve) => {
      process.on('test', ({ payload }) => {
        resolve(payload);
        return 'done';
      });
    });
    process.runner.start();
    await first.transactions.run(() => process.outbox.add([aMessage({ payload: { n: 'soon' } })]));
    expect(await heard).toEqual({ n: 'soon' });
  });

  it('delivers what another process left, once it looks', async () => {
    await aProcess(second).outbox.add([aMessage()]);
    const process = aProcess();
    const heard = new Promise<void>((resolve) => {
      process.on('test', () => {
        resolve();
        return 'done';
      });
    });
    process.runner.start();
    await heard;
  });

  it('keeps messages until they are due', async () => {
    const process = honest();
    await process.outbox.add([aMessage({ dueAt: clock.now() + 4000 })]);
    await process.runner.runDue();
    clock.advance({ milliseconds: 3999 });
    await process.runner.runDue();
    expect(delivered).toEqual([]);
    clock.advance({ milliseconds: 1 });
    await process.runner.runDue();
    expect(delivered).toEqual([1]);
  });

  it('has one message for a key, for as long as it is there', async () => {
    const process = honest();
    const message = aMessage({ deduplicationKey: 'once' });
    await process.outbox.add([message, message]);
    await process.outbox.add([message]);
    await process.runner.runDue();
    expect(delivered).toEqual([1]);
    await process.outbox.add([message]);
    await process.runner.runDue();
    expect(delivered).toEqual([1, 1]);
  });

  it('has each message delivered by one of two processes', async () => {
    const [here, there] = [honest(first), honest(second)];
    const targets = ['a', 'b', 'c'].flatMap((target) => numbered(40, { target }));
    await here.outbox.add(targets.map((message, n) => ({ ...message, payload: { n } })));
    await Promise.all([here.runner.runDue(), there.runner.runDue()]);
    expect((delivered as number[]).sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, n) => n));
  });

  it('lets a process take over what one that died had claimed, when the claim lapses', async () => {
    const died = aProcess();
    await died.outbox.add([aMessage()]);
    const now = clock.now();
    const claim = { holder: 'died', now, until: now + 15_000 };
    expect(await died.messages.claim('somebody', ['test'], 10, claim)).toHaveLength(1);
    const process = honest(second);
    await process.runner.runDue();
    expect(delivered).toEqual([]);
    clock.advance({ seconds: 15 });
    await process.runner.runDue();
    expect(delivered).toEqual([1]);
  });

  it('does not lose what one process delivers while another has taken it over', async () => {
    const slow = aProcess();
    let goOn = () => {};
    const isAt = new Promise<void>((isThere) => {
      slow.on('test', async () => {
        isThere();
        await new Promise<void>((resolve) => (goOn = resolve));
        throw new DeliveryError('http_500', true);
      });
    });
    await slow.outbox.add([aMessage()]);
    const running = slow.runner.runDue();
    await isAt;
    clock.advance({ seconds: 15 });
    const process = honest(second);
    await process.runner.runDue();
    goOn();
    await running;
    expect(delivered).toEqual([1]);
    expect(await all(process)).toEqual([]);
  });

  it('tries again what failed, later each time, and keeps the word', async () => {
    let tries = 0;
    const process = failing(() => {
      tries += 1;
      return true;
    });
    await process.outbox.add([aMessage()]);
    const gaps: number[] = [];
    for (let attempt = 1; attempt <= 11; attempt += 1) {
      await process.runner.runDue();
      const [entry] = await all(process);
      expect(entry).toMatchObject({
        attempts: attempt,
        lastError: 'http_500',
        isUnderWay: false,
        failedAt: null,
      });
      const wait = entry!.dueAt! - clock.now();
      gaps.push(wait);
      clock.advance({ milliseconds: wait });
    }
    expect(tries).toBe(11);
    gaps.forEach((gap, i) => {
      const full = Math.min(300_000, 1000 * 2 ** i);
      expect([i, gap >= full / 2, gap <= full]).toEqual([i, true, true]);
    });
    expect(process.log).toContain('"reason":"http_500"');
  });

  it('gives up after a day, keeps it, counts it, and begins anew when told to', async () => {
    let isDown = true;
    const process = failing(() => isDown);
    await process.outbox.add(numbered(2));
    clock.advance({ milliseconds: DAY });
    await process.runner.runDue();
    clock.advance({ seconds: 10 });
    await process.runner.runDue();
    const failed = await process.desk.list({ isFailed: true, afterId: 0, limit: 10 });
    expect(failed).toMatchObject([
      { attempts: 1, dueAt: null, lastError: 'http_500' },
      { attempts: 1, dueAt: null, lastError: 'http_500' },
    ]);
    expect(await process.metric('ostiary_outbox_failed{topic="test"}')).toBe(2);
    expect(await process.metric('ostiary_outbox_pending{topic="test"}')).toBe(0);
    clock.advance({ days: 3 });
    await process.runner.runDue();
    expect(delivered).toEqual([]);

    isDown = false;
    expect(await process.desk.retry(failed[1]!.id)).toMatchObject({ attempts: 0, failedAt: null });
    await process.runner.runDue();
    expect(delivered).toEqual([1]);
    expect([await process.desk.retryAll(), await process.desk.retryAll()]).toEqual([1, 0]);
    await process.runner.runDue();
    expect(delivered).toEqual([1, 0]);
    expect(await process.desk.retry(failed[0]!.id)).toBeNull();
  });

  it('delivers to others at once while one target hangs', async () => {
    const process = aProcess();
    let goOn = () => {};
    const hanging = new Promise<void>((resolve) => (goOn = resolve));
    const others = new Promise<void>((resolve) => {
      process.on('test', async ({ target, payload }): Promise<'done'> => {
        if (target === 'hangs') await hanging;
        else if (delivered.push((payload as { n: unknown }).n) === 40) resolve();
        return 'done';
      });
    });
    await process.outbox.add([
      ...numbered(50, { target: 'hangs' }),
      ...numbered(20, { target: 'a' }),
      ...numbered(20, { target: 'z' }),
    ]);
    process.runner.start();
    await others;
    const left = (await all(process)).filter(({ target }) => target === 'hangs');
    expect(left).toHaveLength(50);
    goOn();
  });

  it('calls off a delivery that does not end, and does not wait for one that does not listen', async () => {
    const process = aProcess();
    let wasCalledOff = false;
    process.on('test', (_, { signal }) => {
      signal.addEventListener('abort', () => (wasCalledOff = true));
      return new Promise(() => undefined);
    });
    await process.outbox.add([aMessage()]);
    await process.runner.runDue();
    expect(wasCalledOff).toBe(true);
    expect(await all(process)).toMatchObject([{ attempts: 1, lastError: 'no_answer' }]);
  }, 20_000);

  it('asks a target that is down about one message at a time, and about all as soon as it is back', async () => {
    let [isDown, asked] = [true, 0];
    const process = failing(() => {
      asked += 1;
      return isDown;
    });
    await process.outbox.add(numbered(30));
    await process.runner.runDue();
    expect(asked).toBeLessThanOrEqual(4);
    for (let i = 0; i < 5; i += 1) {
      const before = asked;
      clock.advance({ seconds: 5 });
      await process.runner.runDue();
      expect(asked).toBe(before + 1);
    }
    isDown = false;
    clock.advance({ seconds: 5 });
    await process.runner.runDue();
    expect(delivered).toHaveLength(30);
  });

  it('goes on with others to the same target where it is the message that is at fault', async () => {
    const process = aProcess().on('test', ({ payload }) => {
      const { n } = payload as { n: number };
      if (n === 0) throw new DeliveryError('http_400', false);
      delivered.push(n);
      return 'done';
    });
    await process.outbox.add(numbered(20));
    await process.runner.runDue();
    expect(delivered).toHaveLength(19);
  });

  it('comes back at once to what says that there is more to do', async () => {
    let rounds = 0;
    const process = aProcess().on('test', () => {
      rounds += 1;
      return rounds < 5 ? 'again' : 'done';
    });
    await process.outbox.add([aMessage()]);
    await process.runner.runDue();
    expect([rounds, await all(process)]).toEqual([5, []]);
  });

  it('leaves topics alone that it does not know, for a process that does', async () => {
    const process = honest();
    await process.outbox.add([aMessage({ topic: 'of-a-later-version' }), aMessage()]);
    await process.runner.runDue();
    expect(delivered).toEqual([1]);
    expect(await all(process)).toMatchObject([
      { topic: 'of-a-later-version', attempts: 0, isUnderWay: false },
    ]);
  });

  it('keeps of an error that nobody expected a word, and says the rest in the log', async () => {
    const process = aProcess().on('test', () => {
      throw new Error('somebody else wrote this');
    });
    await process.outbox.add([aMessage()]);
    await process.runner.runDue();
    expect(await all(process)).toMatchObject([{ lastError: 'internal_error' }]);
    expect(process.log).toContain('"level":"error"');
  });

  describe('of a process that stops', () => {
    it('ends what is under way, and begins nothing more', async () => {
      const process = aProcess();
      let goOn = () => {};
      const isAt = new Promise<void>((isThere) => {
        process.on('test', async ({ payload }): Promise<'done'> => {
          isThere();
          await new Promise<void>((resolve) => (goOn = resolve));
          delivered.push((payload as { n: unknown }).n);
          return 'done';
        });
      });
      await process.outbox.add(numbered(6));
      const running = process.runner.runDue();
      await isAt;
      const stopped = process.runner.stop();
      goOn();
      await Promise.race([stopped, new Promise((resolve) => setImmediate(resolve))]);
      goOn();
      await stopped;
      await running;
      expect(delivered.length).toBeGreaterThan(0);
      expect((await all(process)).length + delivered.length).toBe(6);
      expect((await all(process)).every(({ isUnderWay, attempts }) => !isUnderWay && attempts === 0)).toBe(
        true,
      );
    });

    it('leaves to others at once what it could not end', async () => {
      const process = aProcess().on('test', () => new Promise(() => undefined));
      await process.outbox.add(numbered(3));
      const running = process.runner.runDue();
      await process.runner.count();
      await process.runner.stop();
      await running;
      await honest(second).runner.runDue();
      expect(delivered).toEqual([0, 1, 2]);
    }, 20_000);
  });

  it('counts what it delivered and what failed, and tells what waits and since when', async () => {
    let isDown = true;
    const process = failing(() => isDown, false);
    await process.outbox.add(numbered(3));
    await process.runner.runDue();
    clock.advance({ seconds: 90 });
    expect(await process.metric('ostiary_outbox_pending{topic="test"}')).toBe(3);
    expect(await process.metric('ostiary_outbox_oldest_seconds{topic="test"}')).toBe(90);
    expect(await process.metric('ostiary_outbox_attempts_failed_total{topic="test",reason="http_500"}')).toBe(
      3,
    );
    isDown = false;
    await process.runner.runDue();
    expect(await process.metric('ostiary_outbox_delivered_total{topic="test"}')).toBe(3);
    expect(await process.metric('ostiary_outbox_pending{topic="test"}')).toBe(0);
    expect(await process.metric('ostiary_outbox_oldest_seconds{topic="test"}')).toBe(0);
  });

  it('lists page by page', async () => {
    const process = aProcess();
    await process.outbox.add(numbered(5));
    const page = await process.desk.list({ isFailed: false, afterId: 0, limit: 3 });
    const rest = await process.desk.list({ isFailed: false, afterId: page.at(-1)!.id, limit: 3 });
    expect([page.length, rest.length]).toEqual([3, 2]);
  });
});
