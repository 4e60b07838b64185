import { describe, expect, it } from '@jest/globals';
import { identifierShape, toIdentifier } from './identifiers.js';

const key = (kind: 'login' | 'email' | 'phone', value: string) => toIdentifier(kind, value).key;

describe('identifiers', () => {
  it.each([
    ['login', 'Alice', 'aLICE'],
    ['login', 'ﬁona', 'fiona'],
    ['login', 'é', 'e\u0301'],
    ['email', 'Alice@Example.COM', 'alice@example.com'],
    ['email', 'x@bücher.example', 'x@xn--bcher-kva.example'],
    ['phone', '+1 (555) 010-0', '15550100'],
    ['phone', '0049 30 1234', '+49301234'],
  ] as const)('takes the %s %s and %s for one', (kind, one, other) => {
    expect(key(kind, one)).toBe(key(kind, other));
  });

  it.each([
    ['login', 'alice', 'аlice'], // the second begins with a Cyrillic letter
    ['login', 'a b', 'ab'],
    ['email', 'a.b@example.com', 'ab@example.com'],
    ['email', 'a+x@example.com', 'a@example.com'],
    ['phone', '+15550100', '+15550101'],
  ] as const)('tells the %s %s from %s', (kind, one, other) => {
    expect(key(kind, one)).not.toBe(key(kind, other));
  });

  it.each([
    ['login', ' alice'],
    ['login', ''],
    ['login', 'a\nb'],
    ['login', 'ﷺ'.repeat(200)], // grows eighteenfold when normalised
    ['email', 'nobody'],
    ['email', 'a@b'],
    ['email', `${'a'.repeat(250)}@example.com`],
    ['phone', '12'],
    ['phone', '+1555CALLNOW'],
    ['phone', '+1234567890123456'],
  ] as const)('refuses the %s %j', (kind, value) => {
    expect(identifierShape[kind].safeParse(value).success).toBe(false);
  });

  it('shows a login as it was typed', () => {
    expect(toIdentifier('login', 'Alice').value).toBe('Alice');
  });
});
