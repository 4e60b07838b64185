import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { chatUserName, parseChatUserName } from './user-name.js';

describe(parseChatUserName, () => {
  it.each([
    ['101-7', null, { userId: 101, applicationId: 7, domain: null }],
    ['101-7', '', { userId: 101, applicationId: 7, domain: null }],
    ['101-7', 'Chat.Local', { userId: 101, applicationId: 7, domain: 'chat.local' }],
    ['101-7@chat.local', null, { userId: 101, applicationId: 7, domain: null }],
    ['101-7@chat.local', 'CHAT.local', { userId: 101, applicationId: 7, domain: 'chat.local' }],
    ['2147483647-2147483647', null, { userId: 2147483647, applicationId: 2147483647, domain: null }],
    ['1-1', 'm.local:8448', { userId: 1, applicationId: 1, domain: 'm.local:8448' }],
  ])('reads %j beside the domain %j', (text, domain, expected) => {
    expect(parseChatUserName(text, domain)).toEqual(expected);
  });

  it.each([
    ['', null],
    ['101', null],
    ['07-1', null],
    ['1-07', null],
    ['0-1', null],
    ['1-0', null],
    ['101-7 ', null],
    ['101-7\n', null],
    ['101-7-8', null],
    ['2147483648-1', null],
    ['1-2147483648', null],
    ['99999999999-1', null],
    ['１０１-7', null],
    ['101-7@', null],
    ['101-7@a@b', null],
    ['101-7@a/b', null],
    ['101-7@a b', null],
    ['101-7', 'a\0b'],
    ['101-7', '\ud800'],
    ['101-7@a', 'b'],
    [`101-7@${'a'.repeat(256)}`, null],
    ['101-7', 'a'.repeat(256)],
  ])('takes %j beside the domain %j for nobody’s', (text, domain) => {
    expect(parseChatUserName(text, domain)).toBeNull();
  });

  it('gives each user and application one spelling', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789-@a .') }), (text) => {
        const name = parseChatUserName(text, null);
        if (name !== null) expect(text.split('@')[0]).toBe(chatUserName(name));
      }),
    );
  });
});
