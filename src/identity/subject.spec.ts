import { describe, expect, it } from '@jest/globals';
import { BrokerError } from '../errors/broker-error.js';
import { toSubject } from './subject.js';

describe('toSubject', () => {
  it.each([
    ['10158888888888888', '10158888888888888'],
    ['auth0|5f7c', 'auth0|5f7c'],
    ['001', '001'],
    ['1.0', '1.0'],
    ['ünï', 'ünï'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [1, '1'],
    [2 ** 53 - 1, '9007199254740991'],
    ['9007199254740993', '9007199254740993'],
  ])('keeps %j', (value, subject) => {
    expect(toSubject(value)).toBe(subject);
  });

  it.each([
    ['no text', ''],
    ['blanks', '  '],
    ['a no-break space', '\u00a0'],
    ['zero', 0],
    ['minus zero', -0],
    ['the text 0', '0'],
    ['null', null],
    ['undefined', undefined],
    ['the word null', 'null'],
    ['the word Null', 'Null'],
    ['the word undefined', 'undefined'],
    ['the word NaN', 'NaN'],
    ['the word None', 'None'],
    ['a printed object', '[object Object]'],
    ['a list', []],
    ['a list of one', ['1']],
    ['an object', {}],
    ['an object that prints as a text', { toString: () => '1' }],
    ['a text object', Object('1')],
    ['true', true],
    ['infinity', 1e400],
    ['NaN', NaN],
    ['a big integer', 1n],
    ['a negative number', -1],
    ['a fraction', 1.5],
    ['a number that lost digits', 2 ** 53],
    ['300 characters', 'x'.repeat(300)],
    ['256 characters', 'x'.repeat(256)],
    ['a NUL inside', '1\u00002'],
    ['a line break', '1\n'],
    ['half a character', '\ud800'],
  ])('A-14 refuses %s', (_, value) => {
    expect(() => toSubject(value)).toThrow(BrokerError);
    expect(() => toSubject(value)).toThrow('invalid_credentials');
  });

  it.each([' 1', '1 ', '\u00a01', 'null ', '1\u0085', '1\u2028', '\u200b'])(
    'A-14 refuses %j, which looks like something else',
    (value) => {
      expect(() => toSubject(value)).toThrow('invalid_credentials');
    },
  );

  it('A-15 keeps apart what a number would make one', () => {
    const ids = ['1', '1.0', '001', '01', '1e0', '+1', '9007199254740992', '9007199254740993'];
    expect(new Set(ids.map(toSubject)).size).toBe(ids.length);
  });
});
