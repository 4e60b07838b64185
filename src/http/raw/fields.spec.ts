import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFields } from './fields.js';

const read = (query: string, body: string | null = '') => Object.fromEntries(readFields({ query, body }));

describe(readFields, () => {
  it('reads the query and a form together', () => {
    expect(read('a=1&b=%2B+x', 'c=%C3%A4&d&=e&&')).toEqual({ a: '1', b: '+ x', c: 'ä', d: '', '': 'e' });
  });

  it('reads JSON, whatever stands before it', () => {
    expect(read('a=1', ' \n{"b":{"c":2},"d":null}')).toEqual({ a: '1', b: { c: 2 }, d: null });
  });

  it.each([
    ['a name that is there twice in a form', '', 'a=1&a=2'],
    ['a name that is in the query and in the body', 'a=1', '{"a":2}'],
    ['a name that is there twice in JSON', '', '{"a":1,"a":2}'],
    ['JSON that is none', '', '{"a":'],
    ['a form with half a character', '', 'a=%C3'],
    ['a percent sign alone', 'a=%', ''],
    ['a body that is not UTF-8', 'a=1', null],
    ['very many names', '', Array.from({ length: 65 }, (_, i) => `${i}=`).join('&')],
    ['JSON with __proto__', '', '{"__proto__":{"a":1}}'],
  ])('reads nothing of %s', (_, query, body) => {
    expect(read(query, body)).toEqual({});
  });

  it('reads whatever a form can say', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string(), { maxKeys: 20 }), (fields) => {
        fc.pre(Object.entries(fields).every(([name, value]) => name.isWellFormed() && value.isWellFormed()));
        const form = new URLSearchParams(fields).toString();
        expect(readFields({ query: form, body: '' })).toEqual(new Map(Object.entries(fields)));
        expect(readFields({ query: '', body: form })).toEqual(new Map(Object.entries(fields)));
      }),
    );
  });
});
