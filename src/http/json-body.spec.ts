import { describe, expect, it } from '@jest/globals';
import { parseJsonBody } from './json-body.js';

describe('parseJsonBody', () => {
  it.each([
    ['{}', {}],
    ['{"a":"b:c","d":{"e":[{"f":":"}]}}', { a: 'b:c', d: { e: [{ f: ':' }] } }],
    ['{"quote\\":":1}', { 'quote":': 1 }],
    [' { "a" : 1 } ', { a: 1 }],
    ['[1,2]', [1, 2]],
  ])('parses %s', (text, value) => {
    expect(parseJsonBody(text)).toEqual(value);
  });

  it('takes an empty body for none', () => {
    expect(parseJsonBody('')).toBeUndefined();
  });

  it.each([
    ['what is no JSON', '{"a":'],
    ['a member given twice', '{"a":1,"a":2}'],
    ['a member given twice in another spelling', '{"a":1,"\\u0061":2}'],
    ['a member given twice further in', '{"x":[{"a":1,"a":1}]}'],
    ['__proto__ as a member', '{"__proto__":{"admin":true}}'],
    ['__proto__ further in', '{"x":{"__proto__":null}}'],
    ['very deep nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ])('refuses %s', (_, text) => {
    expect(() => parseJsonBody(text)).toThrow(expect.objectContaining({ code: 'malformed_request' }));
  });

  it('keeps the body out of what it throws', () => {
    const thrown = (() => {
      try {
        parseJsonBody('{"password":"hunter2"');
        return '';
      } catch (error) {
        return `${String(error)} ${String((error as Error).cause)}`;
      }
    })();
    expect(thrown).not.toContain('hunter2');
  });
});
