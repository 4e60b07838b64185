import { describe, expect, it } from '@jest/globals';
import { completed } from './userinfo.js';

describe('completed', () => {
  const token = { sub: '1', email: 'old@example.org', email_verified: true, hd: 'example.org' };

  it('takes over what userinfo says, and keeps the rest', () => {
    const more = { sub: '1', email: 'new@example.org', email_verified: false, name: 'Ada' };
    expect(completed(token, more)).toMatchObject({ ...more, hd: 'example.org' });
  });

  it.each([
    ['both from the token', {}, 'old@example.org', true],
    [
      'the address of userinfo with its own word',
      { email: 'new@example.org', email_verified: true },
      'new@example.org',
      true,
    ],
    ['an address of userinfo without a word', { email: 'new@example.org' }, 'new@example.org', undefined],
    ["the token's word, when userinfo has no address", { email_verified: false }, 'old@example.org', true],
  ])('D-02 has %s', (_, more, email, email_verified) => {
    expect(completed(token, more)).toMatchObject({ email, email_verified });
  });

  it('D-02 keeps the word together with the address whatever the claim is called', () => {
    const claims = { email: 'old@example.org', mail_ok: true };
    expect(completed(claims, { email: 'new@example.org' }, 'mail_ok')['mail_ok']).toBeUndefined();
    expect(completed(claims, { mail_ok: false }, 'mail_ok')['mail_ok']).toBe(true);
  });

  it('D-02 keeps phone numbers together with their words too', () => {
    const claims = { phone_number: '+1', phone_number_verified: true };
    expect(completed(claims, { phone_number: '+2' })['phone_number_verified']).toBeUndefined();
  });
});
