import { describe, expect, it } from '@jest/globals';
import { decideAccountLink, trustedClaims, type LinkCandidates } from './account-linking.js';
import { toIdentifier } from './identifiers.js';

const email = toIdentifier('email', 'ada@example.com');
const phone = toIdentifier('phone', '+15550100');
const nobody: LinkCandidates = { known: null, emailHolder: null, phoneHolder: null };
const verified = { userId: 7, verified: true };
const unverified = { userId: 8, verified: false };
const strict = { createUsers: true, linkByEmail: 'never' } as const;
const linking = { createUsers: true, linkByEmail: 'verified' } as const;
const closed = { createUsers: false, linkByEmail: 'never' } as const;
const closedLinking = { createUsers: false, linkByEmail: 'verified' } as const;

describe(decideAccountLink, () => {
  it.each([
    ['strict', strict],
    ['linking', linking],
    ['closed', closed],
  ])('knows whom it knows, whatever the policy (%s) and whoever has the address', (_, policy) => {
    const candidates = { ...nobody, known: { userId: 3, disabled: false }, emailHolder: verified };
    expect(decideAccountLink(candidates, { email, phone: null }, policy)).toEqual({
      kind: 'known',
      userId: 3,
    });
  });

  it('refuses a disabled link, and makes up for it by nothing', () => {
    const candidates = { ...nobody, known: { userId: 3, disabled: true }, emailHolder: verified };
    expect(decideAccountLink(candidates, { email, phone: null }, linking)).toEqual({
      kind: 'refuse',
      code: 'identity_disabled',
    });
  });

  it.each([
    [strict, 'refuse', 'email_in_use'],
    [closed, 'refuse', 'sign_up_disabled'],
    [linking, 'link', undefined],
    [closedLinking, 'link', undefined],
  ] as const)('an address that somebody verified: %j %s %s', (policy, kind, code) => {
    const decision = decideAccountLink({ ...nobody, emailHolder: verified }, { email, phone: null }, policy);
    expect(decision).toEqual(code ? { kind, code } : { kind, userId: 7 });
  });

  it.each([closed, closedLinking])('makes nobody where %j', (policy) => {
    for (const candidates of [nobody, { ...nobody, emailHolder: unverified }]) {
      expect(decideAccountLink(candidates, { email, phone }, policy)).toEqual({
        kind: 'refuse',
        code: 'sign_up_disabled',
      });
    }
  });

  it('D-01 takes an unverified claim over instead of following it', () => {
    expect(
      decideAccountLink({ ...nobody, emailHolder: unverified }, { email, phone: null }, linking),
    ).toEqual({
      kind: 'create',
      identifiers: [email],
      takenOver: [{ userId: 8, identifier: email }],
    });
  });

  it('leaves a number with whoever verified it, and lets the person in', () => {
    expect(decideAccountLink({ ...nobody, phoneHolder: verified }, { email, phone }, strict)).toEqual({
      kind: 'create',
      identifiers: [email],
      takenOver: [],
    });
  });
});

describe(trustedClaims, () => {
  const identity = {
    email: { address: 'Ada@Example.com', verified: true },
    phone: { number: '+15550100', verified: true },
  };
  const trusted = { trustedForEmail: true, trustedForPhone: true };

  it('are what the provider verified and is trusted for, as compared', () => {
    expect(trustedClaims(identity, trusted)).toEqual({ email, phone });
  });

  it.each([
    ['an untrusted provider', identity, { trustedForEmail: false, trustedForPhone: false }],
    [
      'unverified addresses',
      { email: { ...identity.email, verified: false }, phone: { ...identity.phone, verified: false } },
      trusted,
    ],
    [
      'what is no address',
      { email: { address: 'ada', verified: true }, phone: { number: 'ada', verified: true } },
      trusted,
    ],
    ['nothing', {}, trusted],
  ])('D-03 are none for %s', (_, given, policy) => {
    expect(trustedClaims(given, policy)).toEqual({ email: null, phone: null });
  });
});
