import { describe, expect, it } from '@jest/globals';
import { JobRegistry } from './job-registry.js';

const job = (name: string) => ({
  name,
  everySeconds: 60,
  runBatch: () => Promise.resolve({ done: 0, nextCursor: null }),
});

describe(JobRegistry.name, () => {
  it('refuses a second job of one name', () => {
    const registry = new JobRegistry();
    registry.register(job('purge-things'));
    expect(() => registry.register(job('purge-things'))).toThrow('two jobs named "purge-things"');
  });

  it.each(['', 'Purge', 'purge things', 'a'.repeat(65)])('refuses the name "%s"', (name) => {
    expect(() => new JobRegistry().register(job(name))).toThrow('no name for a job');
  });

  it('lists jobs in the order of names', () => {
    const registry = new JobRegistry();
    for (const name of ['c', 'a', 'b']) registry.register(job(name));
    expect(registry.list().map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});
