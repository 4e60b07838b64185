import { describe, expect, it } from '@jest/globals';
import {
  decideAccountLink,
  trustedClaims,
  type LinkCandidates,
  type TrustedClaims,
} from './account-linking.js';
import { toIdentifier } from './identifiers.js';

const email = toIdentifier('email', 'ada@example.com');
const phone = toIdentifier('phone', '+15550100');
const nobody: LinkCandidates = { known: null, emailHolder: null, phoneHolder: null, loginHolder: null };
const noClaims: TrustedClaims = {
  email: null,
  phone: null,
  login: null,
  unverified: [],
  isOfAllowedDomain: true,
  continuityHash: null,
};
const verified = { userId: 7, verified: true };
const unverified = { userId: 8, verified: false };
const strict = { createUsers: true, linkByEmail: 'never', linkByLogin: false } as const;
const linking = { createUsers: true, linkByEmail: 'verified', linkByLogin: false } as const;
const closed = { createUsers: false, linkByEmail: 'never', linkByLogin: false } as const;
const closedLinking = { createUsers: false, linkByEmail: 'verified', linkByLogin: false } as const;

describe(decideAccountLink, () => {
  it.each([
    ['strict', strict],
    ['linking', linking],
    ['closed', closed],
  ])('knows whom it knows, whatever the policy (%s) and whoever has the address', (_, policy) => {
    const candidates = {
      ...nobody,
      known: { userId: 3, disabled: false, continuityHash: null },
      emailHolder: verified,
    };
    expect(decideAccountLink(candidates, { ...noClaims, email, phone: null }, policy)).toEqual({
      kind: 'known',
      userId: 3,
    });
  });

  it('refuses a disabled link, and makes up for it by nothing', () => {
    const candidates = {
      ...nobody,
      known: { userId: 3, disabled: true, continuityHash: null },
      emailHolder: verified,
    };
    expect(decideAccountLink(candidates, { ...noClaims, email, phone: null }, linking)).toEqual({
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
    const decision = decideAccountLink(
      { ...nobody, emailHolder: verified },
      { ...noClaims, email, phone: null },
      policy,
    );
    expect(decision).toEqual(code ? { kind, code } : { kind, userId: 7 });
  });

  it.each([closed, closedLinking])('makes nobody where %j', (policy) => {
    for (const candidates of [nobody, { ...nobody, emailHolder: unverified }]) {
      expect(decideAccountLink(candidates, { ...noClaims, email, phone }, policy)).toEqual({
        kind: 'refuse',
        code: 'sign_up_disabled',
      });
    }
  });

  it('D-01 takes an unverified claim over instead of following it', () => {
    expect(
      decideAccountLink({ ...nobody, emailHolder: unverified }, { ...noClaims, email, phone: null }, linking),
    ).toEqual({
      kind: 'create',
      identifiers: [email],
      verified: [email],
      takenOver: [{ userId: 8, identifier: email }],
    });
  });

  it('leaves a number with whoever verified it, and lets the person in', () => {
    expect(
      decideAccountLink({ ...nobody, phoneHolder: verified }, { ...noClaims, email, phone }, strict),
    ).toEqual({
      kind: 'create',
      identifiers: [email],
      verified: [email],
      takenOver: [],
    });
  });
});

describe('a login that the operator maps', () => {
  const login = toIdentifier('login', 'ada');
  const claims = { ...noClaims, login };
  const reusing = { ...strict, linkByLogin: true };

  it.each([
    [null, strict, { kind: 'create', identifiers: [login], verified: [], takenOver: [] }],
    [9, strict, { kind: 'refuse', code: 'login_in_use' }],
    [9, closed, { kind: 'refuse', code: 'sign_up_disabled' }],
    [9, reusing, { kind: 'link', userId: 9 }],
    [9, { ...reusing, createUsers: false }, { kind: 'link', userId: 9 }],
    [null, { ...reusing, createUsers: false }, { kind: 'refuse', code: 'sign_up_disabled' }],
  ] as const)('held by %s, with %j: %j', (loginHolder, policy, decision) => {
    expect(decideAccountLink({ ...nobody, loginHolder }, claims, policy)).toEqual(decision);
  });

  it('leads nobody past a verified address of somebody else', () => {
    const candidates = { ...nobody, emailHolder: verified, loginHolder: 9 };
    const both = { ...claims, email };
    expect(decideAccountLink(candidates, both, reusing)).toEqual({ kind: 'refuse', code: 'email_in_use' });
    expect(decideAccountLink(candidates, both, { ...reusing, linkByEmail: 'verified' })).toEqual({
      kind: 'link',
      userId: 7,
    });
  });

  it('is none where it could not be chosen at a sign-up', () => {
    const trusted = { trustedForEmail: true, trustedForPhone: true, emailDomains: null };
    expect(trustedClaims({ user: { login: ' ada' } }, trusted).login).toBeNull();
    expect(trustedClaims({ user: { login: 'ada' } }, trusted).login).toEqual(login);
  });
});

describe('what tells two owners of a subject apart', () => {
  const known = { userId: 3, disabled: false };
  it.each([
    ['a', 'a', 'known'],
    [null, 'a', 'known'],
    ['a', null, 'known'],
    ['a', 'b', 'refuse'],
  ] as const)('D-17 before %s, now %s: %s', (before, now, kind) => {
    const candidates = { ...nobody, known: { ...known, continuityHash: before } };
    const decision = decideAccountLink(candidates, { ...noClaims, continuityHash: now }, linking);
    expect(decision).toEqual(kind === 'known' ? { kind, userId: 3 } : { kind, code: 'identity_reassigned' });
  });
});

describe('the domains that an operator lets in', () => {
  const policy = { trustedForEmail: false, trustedForPhone: false, emailDomains: ['example.com'] };
  const of = (address: string, verified = true) => trustedClaims({ email: { address, verified } }, policy);

  it.each([
    ['ada@example.com', true, true],
    ['ada@EXAMPLE.com', true, true],
    ['ada@example.com', false, false],
    ['ada@sub.example.com', true, false],
    ['ada@notexample.com', true, false],
    ['ada@example.com@evil.example', true, false],
    ['"ada@example.com"@evil.example', true, false],
    ['ada@example.com.', true, false],
    ['example.com', true, false],
  ])('%s, verified %s: %s', (address, isVerified, isAllowed) => {
    expect(of(address, isVerified).isOfAllowedDomain).toBe(isAllowed);
  });

  it('keep out who is known, too, and who names no address', () => {
    expect(trustedClaims({}, policy).isOfAllowedDomain).toBe(false);
    const known = { userId: 3, disabled: false, continuityHash: null };
    expect(decideAccountLink({ ...nobody, known }, trustedClaims({}, policy), linking)).toEqual({
      kind: 'refuse',
      code: 'email_domain_not_allowed',
    });
  });
});

describe(trustedClaims, () => {
  const identity = {
    email: { address: 'Ada@Example.com', verified: true },
    phone: { number: '+15550100', verified: true },
  };
  const trusted = { trustedForEmail: true, trustedForPhone: true, emailDomains: null };

  it('are what the provider verified and is trusted for, as compared', () => {
    expect(trustedClaims(identity, trusted)).toEqual({ ...noClaims, email, phone });
  });

  it.each([
    ['an untrusted provider', identity, { ...trusted, trustedForEmail: false, trustedForPhone: false }],
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
    expect(trustedClaims(given, policy)).toEqual(noClaims);
  });

  it('carry along unverified addresses where the operator maps them, for a user who is new', () => {
    const unverifiedOnes = {
      email: { ...identity.email, verified: false },
      phone: { ...identity.phone, verified: false },
    };
    expect(trustedClaims({ ...unverifiedOnes, user: {} }, trusted)).toEqual({
      ...noClaims,
      unverified: [email, phone],
    });
  });
});
