import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseExactJson, parseExactNumbers } from './exact-json.js';

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

describe('parseExactNumbers', () => {
  const numbers = (text: string) => parseExactNumbers(Buffer.from(text));

  it('keeps whole numbers that a double cannot hold as the text they were written as', () => {
    const text = '{"a":9007199254740993,"b":[-9007199254740993],"c":{"d":123456789012345678901234567890}}';
    expect(numbers(text)).toEqual({
      a: '9007199254740993',
      b: ['-9007199254740993'],
      c: { d: '123456789012345678901234567890' },
    });
  });

  it.each(['9007199254740991', '-1', '0', '1.5', '1e3', '-2.5E-7', '123456.789012345678901', '1e21'])(
    'reads %s as a number',
    (text) => {
      expect(numbers(`[${text}]`)).toEqual([Number(text)]);
    },
  );

  it.each(['0.99999999999999999999', '9007199254740991.4', '1e400', '-1e999'])(
    'keeps %s as text, which is not the number a double would make of it',
    (text) => {
      expect(numbers(`[${text}]`)).toEqual([text]);
    },
  );

  it('leaves digits in strings and names alone', () => {
    const text =
      '{"9007199254740993":"9007199254740993","x":"\\"9007199254740993\\\\","y":"\\\\\\"1e400","z":"a\\u0022 12345678901234567890"}';
    expect(numbers(text)).toEqual(JSON.parse(text));
  });

  it.each(['{9007199254740993:1}', '09007199254740993', '9007199254740993 9007199254740993', '-', '1.'])(
    'makes no JSON of %s',
    (text) => {
      expect(() => numbers(text)).toThrow('no JSON');
    },
  );

  it('B-13 refuses a repeated name', () => {
    expect(() => numbers('{"id":9007199254740993,"id":1}')).toThrow('a member name is repeated');
  });

  it('A-15 reads every whole number exactly', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })), (whole) => {
        const read = numbers(`[${whole.join(',')}]`) as (string | number)[];
        expect(read.map((one) => BigInt(one))).toEqual(whole);
      }),
    );
  });

  it('reads everything but large whole numbers as JSON.parse does', () => {
    const isPlainAndLarge = (value: unknown) =>
      Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21;

    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        const expected: unknown = JSON.parse(text, (_, value: unknown) =>
          isPlainAndLarge(value) ? String(value) : value,
        );
        expect(numbers(text)).toEqual(expected);
      }),
    );
  });

  it('gives every string back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (strings) => {
        const text = JSON.stringify(strings);
        expect(numbers(text)).toEqual(JSON.parse(text));
      }),
    );
  });
});
