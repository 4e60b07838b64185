import { describe, expect, it } from '@jest/globals';
import { definitionChanges } from './definition-changes.js';

describe(definitionChanges, () => {
  it('names each place that differs, in the order of their names', () => {
    const from = { b: { y: 1, x: [1, 2] }, a: 'same', 'c/d~': 1 };
    const to = { a: 'same', b: { x: [1, 3, 4], z: null }, 'c/d~': 2 };
    expect(definitionChanges(from, to)).toEqual([
      { path: '/b/x/1', from: 2, to: 3 },
      { path: '/b/x/2', to: 4 },
      { path: '/b/y', from: 1 },
      { path: '/b/z', to: null },
      { path: '/c~1d~0', from: 1, to: 2 },
    ]);
  });

  it('takes what changes its kind as a whole', () => {
    expect(definitionChanges({ a: { b: 1 } }, { a: [1] })).toEqual([{ path: '/a', from: { b: 1 }, to: [1] }]);
    expect(definitionChanges({ a: null }, { a: { b: 1 } })).toEqual([
      { path: '/a', from: null, to: { b: 1 } },
    ]);
  });

  it('takes a fingerprint as a whole', () => {
    const [one, two] = [{ fingerprint: 'one' }, { fingerprint: 'two' }];
    expect(definitionChanges({ key: one }, { key: two })).toEqual([{ path: '/key', from: one, to: two }]);
    expect(definitionChanges({ key: one }, { key: { ...one } })).toEqual([]);
  });

  it('looks at own properties only', () => {
    expect(definitionChanges({}, { toString: 1, constructor: 2 })).toEqual([
      { path: '/constructor', to: 2 },
      { path: '/toString', to: 1 },
    ]);
  });
});
