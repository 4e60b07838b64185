import { describe, expect, it } from '@jest/globals';
import type { PasswordsConfig } from '../config/config.js';
import { PasswordHasher } from './password-hasher.js';

const config: PasswordsConfig = { memoryKib: 64, iterations: 1, parallelism: 1, poolSize: 2, queueLimit: 4 };

describe(PasswordHasher.name, () => {
  it('knows the password of its hash and no other', async () => {
    const hasher = new PasswordHasher(config);
    const hash = await hasher.hash('secret');
    expect(await hasher.verify(hash, 'secret')).toBe(true);
    expect(await hasher.verify(hash, 'Secret')).toBe(false);
  });

  it('writes PHC strings of argon2id, each with a salt of its own', async () => {
    const hasher = new PasswordHasher(config);
    const [one, other] = [await hasher.hash('secret'), await hasher.hash('secret')];
    expect(one).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect(one).not.toBe(other);
  });

  it('says no where there is no hash, even to the password of the stand-in', async () => {
    const hasher = new PasswordHasher(config);
    expect(await hasher.verify(null, 'a password that nobody has')).toBe(false);
    expect(await hasher.verify(null, '')).toBe(false);
  });

  it('tells a hash that other parameters made', async () => {
    const hasher = new PasswordHasher(config);
    const older = await new PasswordHasher({ ...config, iterations: 2 }).hash('secret');
    expect(hasher.isOutdated(older)).toBe(true);
    expect(hasher.isOutdated(await hasher.hash('secret'))).toBe(false);
    expect(await hasher.verify(older, 'secret')).toBe(true);
  });

  it('lets so many run and so many wait, and refuses the rest', async () => {
    const hasher = new PasswordHasher(config);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.hash('secret')));
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused).toHaveLength(10 - config.poolSize - config.queueLimit);
    expect(refused[0]!.reason).toMatchObject({ code: 'busy', retryAfterSeconds: 2 });
    expect(await hasher.hash('again')).toMatch(/^\$argon2id/);
  });
});
