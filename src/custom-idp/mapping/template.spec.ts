import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fillTemplate, ownValue, parseTemplate, placeholdersOf, TemplateFault } from './template.js';

const ANSWER = {
  user: { id: 7, name: 'Ada', big: '9007199254740993', tags: ['a', 'b'], nothing: null, ok: true, half: 0.5 },
  users: [{ id: 'u1' }, { id: 'u2', roles: [['x', 'y']] }],
  'first name': 'Ada',
  'urn:x/y': 'z',
  'https://acme.example/plan': { 'a.b': ['gold'] },
};
const filled = (text: string, values: unknown = ANSWER) => fillTemplate(parseTemplate(text), values);
const valueOf = (text: string) => {
  const outcome = filled(text);
  return outcome.kind === 'value' ? outcome.value : outcome.kind;
};

describe('a template', () => {
  it.each([
    ['#{user.id}', 7],
    ['#{user.tags}', ['a', 'b']],
    ['#{user}', ANSWER.user],
    ['#{users.1.id}', 'u2'],
    ['#{users[1].id}', 'u2'],
    ['#{users[1].roles[0][1]}', 'y'],
    ['#{first name}', 'Ada'],
    ['#{urn:x/y}', 'z'],
    ['#{"https://acme.example/plan"."a.b"[0]}', 'gold'],
    ['#{"user".id}', 7],
    ['#{user."id"|x}', 7],
    ['#{user.ok}', true],
    ['#{user.half}', 0.5],
    ['#{user.nick|Anonymous}', 'Anonymous'],
    ['#{user.nothing|Anonymous}', 'Anonymous'],
    ['#{user.name|Anonymous}', 'Ada'],
    ['#{nick|a|b}', 'a|b'],
    ['#{nick|}', ''],
    ['Dr #{user.name}', 'Dr Ada'],
    ['#{user.id}-#{user.ok}-#{user.big}', '7-true-9007199254740993'],
    ['plain text', 'plain text'],
    ['# {x} } #', '# {x} } #'],
    ['', ''],
  ])('%s comes to %j', (text, value) => {
    expect(valueOf(text)).toEqual(value);
  });

  it.each([
    '#{user.nick}',
    '#{user.nothing}',
    '#{users.2.id}',
    '#{users.length}',
    '#{user.name.length}',
    '#{user.name.0}',
    '#{users.01.id}',
    '#{toString}',
    '#{user.hasOwnProperty}',
    'Dr #{user.nick}',
  ])('%s leads nowhere', (text) => {
    expect(valueOf(text)).toBe('absent');
  });

  it.each(['x#{user}', 'x#{user.tags}', 'x#{user.half}'])('%s cannot be joined', (text) => {
    expect(valueOf(text)).toBe('refused');
  });

  it.each([
    '#{user.constructor}',
    '#{__proto__.x}',
    '#{a.prototype}',
    '#{constructor.prototype.x}',
    '#{..}',
    '#{}',
    '#{|x}',
    '#{a..b}',
    '#{.a}',
    '#{a.}',
    '#{a[b]}',
    '#{a[-1]}',
    '#{a[0}',
    '#{a]0[}',
    '#{a[01]}',
    '#{a[0]b}',
    '#{[0].[1]}',
    '#{a',
    '#{a#{b}}',
    '#{ a }',
    '#{a+b}',
    '#{a()}',
    '#{"a}',
    '#{a"}',
    '#{"a"b}',
    '#{a"b"}',
    '#{""}',
    '#{"a"."__proto__"}',
    '#{"constructor"}',
    '#{"a(b)"}',
    "#{a['b']}",
    '#{a\n}',
    '#{a\u0000}',
    'x\u0000',
    '\ud800',
    `#{${'a.'.repeat(20)}a}`,
    `#{${'a'.repeat(200)}}`,
    '#{a}'.repeat(17),
    'x'.repeat(1025),
  ])('C-13 refuses %j', (text) => {
    expect(() => parseTemplate(text)).toThrow(TemplateFault);
  });

  it('C-13 refuses a template of a megabyte, and one that is hard to match, at once', () => {
    for (const text of ['#{'.repeat(512 * 1024), '[0]'.repeat(340), `#{${'[0]'.repeat(330)}!}`]) {
      try {
        parseTemplate(text);
      } catch (error) {
        expect(error).toBeInstanceOf(TemplateFault);
      }
    }
  });

  it('encodes values and not the text of the operator', () => {
    const template = parseTemplate('a/b?c=#{x}&d=#{y|e/f}');
    expect(fillTemplate(template, { x: '&/?' }, encodeURIComponent)).toEqual({
      kind: 'value',
      value: 'a/b?c=%26%2F%3F&d=e%2Ff',
    });
    expect(fillTemplate(parseTemplate('#{x}'), { x: '/' }, encodeURIComponent)).toEqual({
      kind: 'value',
      value: '%2F',
    });
  });

  it('refuses what grows too long', () => {
    expect(filled('#{x}#{x}', { x: 'a'.repeat(40_000) }).kind).toBe('refused');
  });
});

/** Text in which templates are likelier than chance has them. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('#{', '}', '.', '|', '[', ']', '"', '0', 'a', '__proto__', 'constructor'),
      fc.string(),
    ),
  )
  .map((parts) => parts.join(''));

describe('any text', () => {
  it('C-13 is a template or a fault, and nothing else', () => {
    fc.assert(
      fc.property(text, fc.jsonValue(), (written, values) => {
        try {
          const template = parseTemplate(written);
          const outcome = fillTemplate(template, values);
          if (
            outcome.kind === 'value' &&
            typeof outcome.value === 'string' &&
            placeholdersOf(template).length > 1
          ) {
            expect(outcome.value.length).toBeLessThanOrEqual(64 * 1024);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateFault);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('C-05 comes back out of the place it was encoded for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (token) => {
        const outcome = fillTemplate(parseTemplate('a=#{token}&b=1'), { token }, encodeURIComponent);
        const query = new URLSearchParams(outcome.kind === 'value' ? String(outcome.value) : '');
        expect([...query]).toEqual([
          ['a', token.toWellFormed()],
          ['b', '1'],
        ]);
      }),
    );
  });
});

describe('ownValue', () => {
  it('C-12 reads own data and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('a', 'b', '0', '__proto__'))), (path) => {
        const trap = () => {
          throw new Error('a getter was called');
        };
        const inherited = Object.create({ a: 'inherited' }) as Record<string, unknown>;
        Object.defineProperty(inherited, 'b', { get: trap, enumerable: true });
        const value = ownValue({ a: inherited, '0': [inherited] }, path);
        expect(value).not.toBe('inherited');
        expect(value).not.toBe(Object.prototype);
        expect(typeof value).not.toBe('function');
      }),
    );
  });

  it('C-12 takes names of the language for names', () => {
    const answer = JSON.parse('{"__proto__":{"id":1},"toString":"text"}') as unknown;
    expect(ownValue(answer, ['toString'])).toBe('text');
    expect(ownValue({}, ['toString'])).toBeUndefined();
    expect(ownValue({}, ['__proto__'])).toBeUndefined();
  });

  it('tells nobody from nowhere', () => {
    expect(ownValue({ user: null }, ['user', 'id'])).toBeNull();
    expect(ownValue({ users: [] }, ['users', '0', 'id'])).toBeNull();
    expect(ownValue({ users: [] }, ['user', 'id'])).toBeUndefined();
  });
});
