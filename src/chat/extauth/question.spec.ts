import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toQuestion } from './question.js';

const asked = (text: string) => toQuestion(Buffer.from(text));

describe('toQuestion', () => {
  it('reads who wants to log in, and with what', () => {
    expect(asked('auth:17-1:chat.example:token')).toEqual({
      kind: 'auth',
      user: '17-1',
      domain: 'chat.example',
      password: 'token',
    });
  });

  it('takes whatever follows the third colon for the password', () => {
    expect(asked('auth:17-1:h:a:b::c:')).toMatchObject({ password: 'a:b::c:' });
    expect(asked('auth:17-1:h:pässwörd ☃\u0000\n')).toMatchObject({ password: 'pässwörd ☃\u0000\n' });
  });

  it('reads of whom it is asked whether they exist', () => {
    expect(asked('isuser:17-1:chat.example')).toEqual({
      kind: 'isuser',
      user: '17-1',
      domain: 'chat.example',
    });
  });

  it.each([
    '',
    ':',
    'auth',
    'auth:17-1',
    'auth:17-1:h',
    'auth:17-1:h:',
    'auth::h:token',
    'auth:17-1::token',
    'AUTH:17-1:h:token',
    ' auth:17-1:h:token',
    'isuser:17-1',
    'isuser::h',
    'isuser:17-1:h:more',
    'setpass:17-1:h:new',
    'tryregister:17-1:h:new',
    'removeuser:17-1:h',
    'removeuser3:17-1:h:token',
    'certauth:17-1:h:token',
    'constructor:17-1:h:token',
  ])('is not for us: %j', (text) => {
    expect(asked(text)).toBeNull();
  });

  it('refuses what is no UTF-8, also in half a character', () => {
    expect(toQuestion(Buffer.concat([Buffer.from('auth:17-1:h:tok'), Buffer.from([0xe2, 0x98])]))).toBeNull();
    expect(toQuestion(Buffer.from([0xff, 0xfe, 0x00]))).toBeNull();
  });

  it('refuses a frame that is longer than any token or password', () => {
    expect(asked(`auth:17-1:h:${'x'.repeat(8000)}`)).not.toBeNull();
    expect(asked(`auth:17-1:h:${'x'.repeat(8192)}`)).toBeNull();
  });

  it('reads any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        toQuestion(Buffer.from(bytes));
      }),
    );
  });
});
