import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../observability/logger.js';
import { TouchBuffer, type PendingTouch } from './touch-buffer.js';

const logger = createLogger({ level: 'silent' });
const touch = (id: number, at = 1): PendingTouch => ({ id, at });

function aBuffer(write?: (touches: readonly PendingTouch[]) => Promise<void>) {
  const written: PendingTouch[][] = [];
  const buffer = new TouchBuffer(
    async (touches) => {
      await write?.(touches);
      written.push([...touches]);
    },
    60_000,
    logger,
  );
  return { buffer, written };
}

describe(TouchBuffer.name, () => {
  it('writes the last use of each session, once', async () => {
    const { buffer, written } = aBuffer();
    buffer.add(touch(1, 10), 1000);
    buffer.add(touch(2, 11), 1000);
    buffer.add(touch(1, 12), 1000);
    await buffer.flush();
    expect(written).toEqual([[touch(1, 12), touch(2, 11)]]);
    expect(buffer.size).toBe(0);
  });

  it('tells a use that is not written yet', async () => {
    const { buffer } = aBuffer();
    buffer.add(touch(1, 10), 1000);
    expect(buffer.pendingAt(1)).toBe(10);
    await buffer.flush();
    expect(buffer.pendingAt(1)).toBeUndefined();
  });

  it('keeps what could not be written and writes it the next time', async () => {
    let isAway = true;
    const { buffer, written } = aBuffer(() =>
      isAway ? Promise.reject(new Error('away')) : Promise.resolve(),
    );
    buffer.add(touch(1), 1000);
    await buffer.flush();
    expect(buffer.size).toBe(1);
    isAway = false;
    await buffer.flush();
    expect(written).toEqual([[touch(1)]]);
  });

  it('keeps a use that came while an earlier one was being written', async () => {
    const { buffer, written } = aBuffer((touches) => {
      if (touches[0]!.at === 1) buffer.add(touch(1, 2), 1000);
      return Promise.resolve();
    });
    buffer.add(touch(1, 1), 1000);
    await buffer.flush();
    expect(buffer.pendingAt(1)).toBe(2);
    await buffer.flush();
    expect(written).toEqual([[touch(1, 1)], [touch(1, 2)]]);
  });

  it('writes many in batches', async () => {
    const { buffer, written } = aBuffer();
    for (let i = 0; i < 1001; i += 1) buffer.add(touch(i), 1000);
    await buffer.flush();
    expect(written.length).toBeGreaterThan(1);
    expect(written.flat()).toHaveLength(1001);
  });

  it('writes in the order of ids, whatever order the uses came in, so that a batch stays on few pages', async () => {
    const { buffer, written } = aBuffer();
    for (let i = 0; i < 1000; i += 1) buffer.add(touch((i * 7919) % 1000), 1000);
    await buffer.flush();
    expect(written.flat().map(({ id }) => id)).toEqual(Array.from({ length: 1000 }, (_, id) => id));
  });

  it('gives others a turn between batches', async () => {
    const { buffer, written } = aBuffer();
    for (let i = 0; i < 1000; i += 1) buffer.add(touch(i), 1000);
    let batchesAtTheirTurn = 0;
    setImmediate(() => (batchesAtTheirTurn = written.length));
    await buffer.flush();
    expect(batchesAtTheirTurn).toBeLessThan(written.length);
  });
});
