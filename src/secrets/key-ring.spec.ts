import { describe, expect, it } from '@jest/globals';
import { KeyRing, newMasterKey, UndecipherableError } from './key-ring.js';

const PLACE = { table: 'applications', row: 1, column: 'auth_secret' };
const [oldKey, newKey] = [newMasterKey(), newMasterKey()];

describe(KeyRing.name, () => {
  it('reads what it wrote', () => {
    const ring = new KeyRing([oldKey]);
    expect(ring.decrypt(ring.encrypt('as_secret ✓', PLACE), PLACE)).toBe('as_secret ✓');
  });

  it('writes the same secret differently each time', () => {
    const ring = new KeyRing([oldKey]);
    expect(ring.encrypt('x', PLACE)).not.toBe(ring.encrypt('x', PLACE));
  });

  it.each([
    ['another row', { ...PLACE, row: 2 }],
    ['another column', { ...PLACE, column: 'name' }],
    ['another table', { ...PLACE, table: 'users' }],
  ])('does not read a value that was moved to %s', (_, elsewhere) => {
    const ring = new KeyRing([oldKey]);
    expect(() => ring.decrypt(ring.encrypt('x', PLACE), elsewhere)).toThrow(UndecipherableError);
  });

  it('does not read a value that was altered in any byte', () => {
    const ring = new KeyRing([oldKey]);
    const [version, id, sealed] = ring.encrypt('secret', PLACE).split('.');
    const bytes = Buffer.from(sealed!, 'base64url');
    bytes.forEach((byte, i) => {
      const altered = Buffer.from(bytes);
      altered[i] = byte ^ 1;
      expect(() => ring.decrypt(`${version}.${id}.${altered.toString('base64url')}`, PLACE)).toThrow(
        UndecipherableError,
      );
    });
  });

  it.each(['', 'plain text', 'v1', 'v1.abc.', 'v2.x.y'])('does not read %j', (stored) => {
    expect(() => new KeyRing([oldKey]).decrypt(stored, PLACE)).toThrow(UndecipherableError);
  });

  it('reads under every key and writes under the first', () => {
    const before = new KeyRing([oldKey]).encrypt('x', PLACE);
    const ring = new KeyRing([newKey, oldKey]);
    expect(ring.decrypt(before, PLACE)).toBe('x');
    expect(ring.isCurrent(before)).toBe(false);
    const after = ring.encrypt('x', PLACE);
    expect(ring.isCurrent(after)).toBe(true);
    expect(new KeyRing([newKey]).decrypt(after, PLACE)).toBe('x');
    expect(() => new KeyRing([oldKey]).decrypt(after, PLACE)).toThrow(UndecipherableError);
  });

  it.each(['', 'dG9vIHNob3J0', Buffer.alloc(33).toString('base64')])('refuses %j as a key', (key) => {
    expect(() => new KeyRing([key])).toThrow(RangeError);
  });
});
