import { describe, expect, it } from '@jest/globals';
import { bearerToken, parseAuthorization } from './authorization.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('bearerToken', () => {
  it.each(['Bearer osta_abc', 'bearer osta_abc', 'BEARER   osta_abc '])('finds the token in %j', (header) => {
    expect(bearerToken(header)).toBe('osta_abc');
  });

  it.each([undefined, '', 'Bearer', 'Basic x', 'osta_abc', 'Token x'])(
    'asks for credentials when given %j',
    (header) => {
      expect(() => bearerToken(header)).toThrow(expect.objectContaining({ code: 'authentication_required' }));
    },
  );

  it.each([
    ['a space inside', 'a b'],
    ['a quote', "a'b"],
    ['nothing', ''],
    ['256 characters', 'a'.repeat(256)],
  ])('takes a token with %s for one that was never issued', (_, token) => {
    expect(() => bearerToken(`Bearer ${token}`)).toThrow(expect.objectContaining({ code: 'session_ended' }));
  });
});

describe('parseAuthorization', () => {
  it('reads user and password, which may hold colons', () => {
    expect(parseAuthorization(basic('key:a:b'))).toEqual({ scheme: 'basic', user: 'key', password: 'a:b' });
  });

  it.each(['Basic', 'Basic !!!', basic('no colon'), basic(':password')])('refuses %j', (header) => {
    expect(() => parseAuthorization(header)).toThrow();
  });

  it('says null when there is no header', () => {
    expect(parseAuthorization(undefined)).toBeNull();
  });
});
