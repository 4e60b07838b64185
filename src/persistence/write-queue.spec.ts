import { describe, expect, it } from '@jest/globals';
import { WriteQueue } from './write-queue.js';

describe(WriteQueue.name, () => {
  it('runs one piece of work at a time, in the order it came', async () => {
    const queue = new WriteQueue(1000);
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} ends`);
    };
    await Promise.all(['a', 'b', 'c'].map((name) => queue.run(work(name))));
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('goes on after work that failed', async () => {
    const queue = new WriteQueue(1000);
    await expect(queue.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(queue.run(() => Promise.resolve('yes'))).resolves.toBe('yes');
  });

  it('refuses work whose turn comes too late, without beginning it', async () => {
    const queue = new WriteQueue(-1);
    let begun = false;
    const late = queue.run(() => {
      begun = true;
      return Promise.resolve();
    });
    await expect(late).rejects.toMatchObject({ code: 'store_unavailable' });
    expect(begun).toBe(false);
  });
});
