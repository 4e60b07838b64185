import { describe, expect, it } from '@jest/globals';
import { parseExactJson } from './exact-json.js';

const parse = (text: string | Uint8Array) => parseExactJson(Buffer.from(text as string));

describe('parseExactJson', () => {
  it.each(['{"a":1,"b":{"a":2}}', '[{"a":1},{"a":2}]', '{"a":":\\":{","b":"\\\\"}', '"a:b"', '{}', '7'])(
    'reads %s as JSON.parse does',
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  it.each([
    '{"sub":"1","sub":"2"}',
    '{"sub":"1","s\\u0075b":"2"}',
    '{"a":{"sub":"1","sub":"1"}}',
    '[{"sub":"1","sub":"2"}]',
    '{"\\"":1,"\\u0022":2}',
  ])('B-13 refuses the repeated name in %s', (text) => {
    expect(() => parse(text)).toThrow('a member name is repeated');
  });

  it.each(['', '{', '{"a":1}{"b":2}', '\ufeff{"a":1}', "{'a':1}", 'NaN'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow('no JSON');
  });

  it('refuses what is not UTF-8', () => {
    expect(() => parse(Buffer.from([0x22, 0xff, 0x22]))).toThrow('no JSON');
  });

  it('refuses what is nested deeply', () => {
    expect(() => parse('['.repeat(40) + ']'.repeat(40))).toThrow('nested too deeply');
    expect(() => parse('['.repeat(100_000) + ']'.repeat(100_000))).toThrow();
  });

  it('takes __proto__ for a name like any other', () => {
    const value = parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value['admin']).toBeUndefined();
  });
});
