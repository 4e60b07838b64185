import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { VerifierKinds } from './verifier-kinds.js';
import type { VerifierKind } from './verifier-kind.js';

const kind = (name: string, more: Partial<VerifierKind> = {}): VerifierKind => ({
  kind: name,
  reservedSlug: null,
  defaults: { trustedForEmail: false, trustedForPhone: false },
  optionsSchema: z.strictObject({}),
  secretPaths: [],
  secretDestinations: () => [],
  destinations: () => [],
  warnings: () => [],
  open: () => ({ credentialSchema: z.never(), verify: () => Promise.reject(new Error('nobody')) }),
  ...more,
});

describe('VerifierKinds', () => {
  it('finds what is registered, and nothing else', () => {
    const kinds = new VerifierKinds();
    const one = kind('one');
    kinds.register(one);
    expect(kinds.find('one')).toBe(one);
    expect(kinds.find('constructor')).toBeUndefined();
    expect(kinds.all()).toEqual([one]);
  });

  it('refuses a second one of a name, or of a slug', () => {
    const kinds = new VerifierKinds();
    kinds.register(kind('one', { reservedSlug: 'slug' }));
    expect(() => kinds.register(kind('one'))).toThrow('clashes');
    expect(() => kinds.register(kind('two', { reservedSlug: 'slug' }))).toThrow('clashes');
  });

  it.each(['open', 'optionsSchema'])('A-23 refuses one without %s', (part) => {
    const hollow = kind('hollow', { [part]: undefined });
    expect(() => new VerifierKinds().register(hollow)).toThrow('verifies nothing');
  });
});
