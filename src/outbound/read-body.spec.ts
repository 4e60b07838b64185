import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { readBody } from './read-body.js';

const answer = (body: Readable, encoding?: string | string[]) => ({
  headers: encoding === undefined ? {} : { 'content-encoding': encoding },
  body,
});
const of = (...chunks: Buffer[]) => Readable.from(chunks);

describe('readBody', () => {
  it('gives the whole body', async () => {
    const body = await readBody(answer(of(Buffer.from('ab'), Buffer.from('c'))), 3);
    expect(body.toString()).toBe('abc');
  });

  it('gives the whole body, decompressed', async () => {
    const body = await readBody(answer(of(gzipSync('abc')), 'gzip'), 3);
    expect(body.toString()).toBe('abc');
  });

  it('counts to the byte', async () => {
    await expect(readBody(answer(of(Buffer.alloc(4))), 3)).rejects.toThrow('too long');
    await expect(readBody(answer(of(gzipSync(Buffer.alloc(4))), 'gzip'), 3)).rejects.toThrow('too long');
  });

  it('stops reading a body that never ends', async () => {
    let chunks = 0;
    const endless = new Readable({ read: () => void endless.push(Buffer.alloc(1024, (chunks += 1))) });
    await expect(readBody(answer(endless), 10_240)).rejects.toThrow('too long');
    expect(endless.destroyed).toBe(true);
    expect(chunks).toBeLessThan(200);
  });

  it('stops decompressing a bomb', async () => {
    const bomb = of(gzipSync(Buffer.alloc(100 * 1024 * 1024)));
    await expect(readBody(answer(bomb, 'gzip'), 262_144)).rejects.toThrow('too long');
    expect(bomb.destroyed).toBe(true);
  });

  it.each(['br', 'deflate', 'gzip, gzip', 'x-gzip', ''])('refuses the encoding "%s"', async (encoding) => {
    const body = of(brotliCompressSync('abc'));
    await expect(readBody(answer(body, encoding), 100)).rejects.toThrow('not asked for');
    expect(body.destroyed).toBe(true);
  });

  it('refuses several encodings', async () => {
    await expect(readBody(answer(of(gzipSync('abc')), ['gzip', 'gzip']), 100)).rejects.toThrow();
  });

  it('refuses what is cut off or not compressed', async () => {
    const cut = gzipSync('abc'.repeat(1000)).subarray(0, 20);
    await expect(readBody(answer(of(cut), 'gzip'), 100_000)).rejects.toThrow();
    await expect(readBody(answer(of(Buffer.from('abc')), 'gzip'), 100)).rejects.toThrow();
  });

  it('passes on that the connection broke', async () => {
    const broken = () =>
      new Readable({
        read() {
          this.destroy(new Error('the connection broke'));
        },
      });
    await expect(readBody(answer(broken()), 100)).rejects.toThrow('the connection broke');
    await expect(readBody(answer(broken(), 'gzip'), 100)).rejects.toThrow('the connection broke');
  });
});
