import { describe, expect, it } from '@jest/globals';
import type { Session } from './session.js';
import { SessionCache } from './session-cache.js';

const session = { id: 1 } as Session;
const SHARED_FOR = 1000;

/** A read that answers when told to. */
function heldRead() {
  let answer: (found: Session | null) => void = () => {};
  let calls = 0;
  const load = () => {
    calls += 1;
    return new Promise<Session | null>((resolve) => (answer = resolve));
  };
  return { load, answer: (found: Session | null) => answer(found), calls: () => calls };
}

describe(SessionCache.name, () => {
  it('keeps what was read', async () => {
    const cache = new SessionCache(10);
    await cache.read('h', 0, SHARED_FOR, () => Promise.resolve(session));
    expect(cache.peek('h')).toBe(session);
  });

  it('keeps nothing of a session that is not there', async () => {
    const cache = new SessionCache(10);
    await cache.read('h', 0, SHARED_FOR, () => Promise.resolve(null));
    expect(cache.peek('h')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('reads once for callers that ask at the same time', async () => {
    const cache = new SessionCache(10);
    const read = heldRead();
    const both = Promise.all([
      cache.read('h', 0, SHARED_FOR, read.load),
      cache.read('h', 0, SHARED_FOR, read.load),
    ]);
    read.answer(session);
    expect(await both).toEqual([session, session]);
    expect(read.calls()).toBe(1);
  });

  it('does not share a read that began too long ago, and does not keep what that one finds', async () => {
    const cache = new SessionCache(10);
    const [old, young] = [heldRead(), heldRead()];
    const first = cache.read('h', 0, SHARED_FOR, old.load);
    const second = cache.read('h', SHARED_FOR + 1, SHARED_FOR, young.load);
    old.answer(session);
    expect(await first).toBe(session);
    expect(cache.peek('h')).toBeUndefined();
    young.answer(null);
    expect(await second).toBeNull();
    expect(cache.peek('h')).toBeUndefined();
  });

  it('keeps nothing of what was there or under way when it is cleared', async () => {
    const cache = new SessionCache(10);
    await cache.read('kept', 0, SHARED_FOR, () => Promise.resolve(session));
    const read = heldRead();
    const reading = cache.read('h', 0, SHARED_FOR, read.load);
    cache.clear();
    read.answer(session);
    await reading;
    expect([cache.peek('kept'), cache.peek('h')]).toEqual([undefined, undefined]);
  });

  it('does not bring a session back that was dropped while it was being read', async () => {
    const cache = new SessionCache(10);
    const read = heldRead();
    const reading = cache.read('h', 0, SHARED_FOR, read.load);
    cache.drop('h');
    read.answer(session);
    await reading;
    expect(cache.peek('h')).toBeUndefined();
  });

  it('lets a read that began after the drop be kept, and not be undone by the one before', async () => {
    const cache = new SessionCache(10);
    const [before, after] = [heldRead(), heldRead()];
    const first = cache.read('h', 0, SHARED_FOR, before.load);
    cache.drop('h');
    const second = cache.read('h', 0, SHARED_FOR, after.load);
    before.answer(session);
    await first;
    expect(cache.peek('h')).toBeUndefined();
    const fresh = { id: 2 } as Session;
    after.answer(fresh);
    await second;
    expect(cache.peek('h')).toBe(fresh);
  });

  it('keeps nothing of a read that failed, and reads again', async () => {
    const cache = new SessionCache(10);
    await expect(cache.read('h', 0, SHARED_FOR, () => Promise.reject(new Error('away')))).rejects.toThrow(
      'away',
    );
    expect(await cache.read('h', 0, SHARED_FOR, () => Promise.resolve(session))).toBe(session);
  });

  it('lets the least recently used give way', async () => {
    const cache = new SessionCache(2);
    for (const hash of ['a', 'b']) await cache.read(hash, 0, SHARED_FOR, () => Promise.resolve(session));
    cache.peek('a');
    await cache.read('c', 0, SHARED_FOR, () => Promise.resolve(session));
    expect([cache.peek('a'), cache.peek('b'), cache.peek('c')]).toEqual([session, undefined, session]);
  });
});
