import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { claimOptions } from './claim-options.js';
import { identityOf } from './claims-identity.js';

const PROVIDER = { id: 1, applicationId: 1, kind: 'jwt', slug: 'partner', version: 1 };
const authTime = new Date(0);

describe('identityOf', () => {
  const options = (overrides: object = {}) => z.strictObject(claimOptions).parse(overrides);
  const of = (claims: object, overrides: object = {}) =>
    identityOf(PROVIDER, options(overrides), { sub: '42', ...claims }, { authTime }, undefined);

  it('has standard claims where the operator maps nothing', () => {
    expect(
      of({
        email: 'ada@example.org',
        email_verified: true,
        name: 'Ada Lovelace',
        phone_number: '+43 1 234567',
        phone_number_verified: true,
        picture: 'https://partner.example/ada.png',
        locale: 'de-AT',
        zoneinfo: 'Europe/Vienna',
        website: 'https://ada.example',
        amr: ['pwd', 'otp'],
      }),
    ).toMatchObject({
      provider: PROVIDER,
      subject: '42',
      email: { address: 'ada@example.org', verified: true },
      phone: { number: '+431234567', verified: true },
      profile: { name: 'Ada Lovelace', picture: 'https://partner.example/ada.png', locale: 'de-AT' },
      user: { fullName: 'Ada Lovelace', timezone: 'Europe/Vienna', website: 'https://ada.example' },
      amr: ['pwd', 'otp'],
      authTime,
    });
  });

  it('has what the operator maps in the place of them', () => {
    const mapping = { uid: '#{oid}', full_name: null, login: '#{preferred_username}' };
    const identity = of({ oid: 'o-1', name: 'Ada', preferred_username: 'ada' }, { mapping });
    expect([identity.subject, identity.user]).toEqual(['o-1', { login: 'ada' }]);
  });

  it('blames the definition when there is no subject where it looks for one', () => {
    expect(() => of({}, { mapping: { uid: '#{oid}' } })).toThrow(
      expect.objectContaining({ code: 'identity_provider_misconfigured' }),
    );
  });

  it.each(['', 0, false, {}, [], 'null'])('A-14 refuses the subject %j', (sub) => {
    expect(() => of({ sub })).toThrow(expect.objectContaining({ code: 'invalid_credentials' }));
  });

  it('D-02 takes a phone number for verified only when the claim about it is true, and about this one', () => {
    const number = { phone_number: '+431234567' };
    expect(of({ ...number, phone_number_verified: 'true' }).phone!.verified).toBe(false);
    const mapping = { phone: '#{mobile}' };
    const other = of({ ...number, phone_number_verified: true, mobile: '+439999999' }, { mapping });
    expect(other.phone).toEqual({ number: '+439999999', verified: false });
  });

  it('leaves out what are no methods', () => {
    expect(of({ amr: ['pwd', 7, 'A B', 'x'.repeat(99), null] }).amr).toEqual(['pwd']);
    expect(of({ amr: 'pwd' }).amr).toEqual([]);
  });
});
