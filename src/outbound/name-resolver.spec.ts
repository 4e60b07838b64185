import { describe, expect, it } from '@jest/globals';
import { isIP } from 'node:net';
import { NameResolver } from './name-resolver.js';

describe(NameResolver, () => {
  it('knows the names of this machine', async () => {
    const found = await new NameResolver().resolve('localhost');
    expect(found.map(({ address }) => address)).toContain('127.0.0.1');
    expect(found.every(({ address, family }) => isIP(address) === family)).toBe(true);
  });

  it('asks once for those who ask at the same time, and anew for those who come later', async () => {
    const names = new NameResolver();
    const first = names.resolve('localhost', 4);
    expect(names.resolve('localhost', 4)).toBe(first);
    expect(names.resolve('localhost')).not.toBe(first);
    await first;
    expect(names.resolve('localhost', 4)).not.toBe(first);
  });
});
