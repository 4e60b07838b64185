import { describe, expect, it } from '@jest/globals';
import { carrySecrets, redactSecrets } from './secret-options.js';

const paths = ['secret', 'apps.*.app_secret', 'list.*.key'];
const options = {
  id: 'x',
  secret: 's1',
  apps: { a: { app_secret: 's2', name: 'A' }, 'b/c~d': { app_secret: 's3' } },
  list: [{ key: 's4' }],
};

describe(redactSecrets, () => {
  it('C-21 shows a fingerprint in the place of each secret, and everything else', () => {
    const shown = redactSecrets(options, paths, (secret) => `print of ${secret.length}`);
    const print = { fingerprint: 'print of 2' };
    expect(shown).toEqual({
      id: 'x',
      secret: print,
      apps: { a: { app_secret: print, name: 'A' }, 'b/c~d': { app_secret: print } },
      list: [{ key: print }],
    });
    expect(options.secret).toBe('s1');
  });

  it('shows what the kind says is none', () => {
    const isPublic = (value: string) => value === 's2';
    expect(redactSecrets(options, ['apps.*.app_secret'], () => 'print', isPublic)).toMatchObject({
      apps: { a: { app_secret: 's2' }, 'b/c~d': { app_secret: { fingerprint: 'print' } } },
    });
  });

  it('touches own properties only', () => {
    expect(redactSecrets({}, ['constructor.name', '__proto__.x', 'toString'], String)).toEqual({});
  });
});

describe(carrySecrets, () => {
  it('carries secrets that are left out or sent as they were shown', () => {
    const given = {
      id: 'y',
      secret: { fingerprint: 'print' },
      apps: { a: { name: 'B' }, 'b/c~d': { app_secret: 'new' } },
      list: [{}],
    };
    const { options: carriedOver, carried } = carrySecrets(given, options, paths);
    expect(carriedOver).toEqual({
      id: 'y',
      secret: 's1',
      apps: { a: { name: 'B', app_secret: 's2' }, 'b/c~d': { app_secret: 'new' } },
      list: [{ key: 's4' }],
    });
    expect(carried).toEqual(['/secret', '/apps/a/app_secret', '/list/0/key']);
  });

  it('names the place of a secret by a JSON pointer', () => {
    expect(carrySecrets({ apps: { 'b/c~d': {} } }, options, ['apps.*.app_secret']).carried).toEqual([
      '/apps/b~1c~0d/app_secret',
    ]);
  });

  it('brings no entry back that was taken out', () => {
    const { options: carriedOver, carried } = carrySecrets({ secret: 'n', apps: {} }, options, paths);
    expect(carriedOver).toEqual({ secret: 'n', apps: {} });
    expect(carried).toEqual([]);
  });

  it('carries of entries that an operator names those that were sent as they were shown, and no others', () => {
    const present = { headers: { a: '1', b: '2', c: '3' } };
    const given = { headers: { a: { fingerprint: 'x' }, c: 'new' } };
    const { options: carriedOver, carried } = carrySecrets(given, present, ['headers.*']);
    expect(carriedOver).toEqual({ headers: { a: '1', c: 'new' } });
    expect(carried).toEqual(['/headers/a']);
  });
});
