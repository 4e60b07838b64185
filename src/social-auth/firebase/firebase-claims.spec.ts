import { describe, expect, it } from '@jest/globals';
import { toIdentity } from './firebase-claims.js';
import { firebaseOptionsSchema } from './firebase.options.js';

const NOW = Date.UTC(2026, 0, 1);
const REF = { id: 1, applicationId: 1, kind: 'firebase', slug: 'firebase', version: 1 };
const SECONDS = NOW / 1000;

const identityOf = (claims: object, options: object = {}) =>
  toIdentity(
    {
      sub: 'uid-of-ada',
      auth_time: SECONDS - 60,
      firebase: { sign_in_provider: 'google.com', identities: {} },
      ...claims,
    },
    firebaseOptionsSchema.parse({ project_id: 'demo-ostiary', ...options }),
    REF,
    NOW,
  );

describe(toIdentity.name, () => {
  it('needs nothing but a uid, a time and a way to sign in', () => {
    expect(identityOf({})).toEqual({
      provider: REF,
      subject: 'uid-of-ada',
      profile: {},
      amr: ['fed'],
      authTime: new Date(NOW - 60_000),
    });
  });

  it('takes name and picture along', () => {
    const shown = { name: 'Ada Lovelace', picture: 'https://lh3.googleusercontent.com/a/x' };
    expect(identityOf(shown).profile).toEqual(shown);
  });

  it.each([
    { name: '' },
    { name: 'a'.repeat(256) },
    { name: 'nul\u0000inside' },
    { name: 'half \ud83d' },
    { name: { first: 'Ada' } },
    { picture: 'http://example.org/a.png' },
    { picture: 'javascript:alert(1)' },
    { picture: 7 },
  ])('leaves %j out', (claims) => {
    expect(identityOf(claims).profile).toEqual({});
  });

  it.each([
    'no address',
    '@',
    'two@at@signs',
    'nul\u0000@example.org',
    `${'a'.repeat(320)}@example.org`,
    ['a@b'],
  ])('takes %j for no address', (email) => {
    expect(identityOf({ email, email_verified: true }).email).toBeUndefined();
  });

  it('lets Google’s clock be ahead of ours by five minutes', () => {
    expect(identityOf({ auth_time: SECONDS + 300 }).authTime).toEqual(new Date(NOW + 300_000));
    expect(() => identityOf({ auth_time: SECONDS + 301 })).toThrow('invalid_credentials');
  });

  it('takes nothing of what an emulator says for verified', () => {
    const claims = {
      email: 'ada@example.org',
      email_verified: true,
      phone_number: '+4915112345678',
      firebase: { sign_in_provider: 'phone', identities: { phone: ['+4915112345678'] } },
    };
    const words = ({ email, phone }: ReturnType<typeof identityOf>) => [email?.verified, phone?.verified];
    expect(words(identityOf(claims))).toEqual([true, true]);
    expect(words(identityOf(claims, { emulator: { host: 'localhost:9099' } }))).toEqual([false, false]);
  });
});
