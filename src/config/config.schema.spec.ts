import { describe, expect, it } from '@jest/globals';
import { defaultPoolSize } from './config.schema.js';

describe('defaultPoolSize', () => {
  it.each([
    { workers: 1, processors: 1, threads: 4, hashes: 1, because: 'there is no sign-in without a place' },
    { workers: 1, processors: 4, threads: 4, hashes: 3, because: 'one processor stays free' },
    { workers: 1, processors: 32, threads: 4, hashes: 3, because: 'one thread of the pool stays free' },
    { workers: 2, processors: 9, threads: 16, hashes: 4, because: 'eight processors are shared by two' },
    { workers: 3, processors: 9, threads: 16, hashes: 2, because: 'what cannot be shared stays free' },
    { workers: 8, processors: 8, threads: 4, hashes: 1, because: 'each worker has at least one' },
  ])('is $hashes with $workers workers on $processors processors: $because', (row) => {
    expect(defaultPoolSize(row.workers, row.processors, row.threads)).toBe(row.hashes);
  });
});
