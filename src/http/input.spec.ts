import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { inputError, line, passwordText, text } from './input.js';

const faults = (schema: z.ZodType, value: unknown) =>
  inputError(schema.safeParse(value).error?.issues ?? []).errors!.map(
    ({ pointer, code }) => `${pointer} ${code}`,
  );

describe('inputError', () => {
  const schema = z.strictObject({
    name: line(5),
    tags: z.array(z.string()).optional(),
    'a/b': z.int().optional(),
  });

  it.each([
    ['a missing field', {}, '/name required'],
    ['a wrong type', { name: 5 }, '/name invalid_type'],
    ['a text that is too long', { name: 'abcdef' }, '/name too_long'],
    ['an item of a list', { name: 'a', tags: ['x', 1] }, '/tags/1 invalid_type'],
    ['a name that needs escaping', { name: 'a', 'a/b': 'x' }, '/a~1b invalid_type'],
    ['a field that is not there', { name: 'a', role: 'admin' }, '/role unknown_field'],
    ['something that is no object', [], ' invalid_type'],
  ])('names the place of %s', (_, value, fault) => {
    expect(faults(schema, value)).toEqual([fault]);
  });

  it('names every fault, up to twenty', () => {
    expect(faults(schema, { a: 1, b: 2 })).toEqual([
      '/name required',
      '/a unknown_field',
      '/b unknown_field',
    ]);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, 1]));
    expect(faults(schema, many)).toHaveLength(20);
  });

  it('never repeats a value', () => {
    const error = inputError(schema.safeParse({ name: 'hunter2 is long', tags: 'hunter2' }).error!.issues);
    expect(JSON.stringify(error.errors)).not.toContain('hunter2');
  });
});

describe('text', () => {
  it.each(['ä ß 漢 🎉', 'two\nlines\tand a tab', ''])('takes %j', (value) => {
    expect(text(50).safeParse(value).success).toBe(true);
  });

  it.each(['nul \0', 'bell \u0007', 'half \ud800 pair', 'delete \u007f'])('refuses %j', (value) => {
    expect(text(50).safeParse(value).success).toBe(false);
  });
});

describe('line', () => {
  it.each(['', '   ', 'two\nlines'])('refuses %j', (value) => {
    expect(line(50).safeParse(value).success).toBe(false);
  });
});

describe('passwordText', () => {
  it('takes anything but NUL and halves of pairs', () => {
    expect(passwordText(10).safeParse('a\u0007\n b').success).toBe(true);
    expect(passwordText(10).safeParse('a\0b').success).toBe(false);
    expect(passwordText(10).safeParse('a\udfff').success).toBe(false);
  });
});
