import type { SignatureAlgorithm } from '../../identity/verify-id-token.js';

export const PRESETS = ['google', 'apple', 'microsoft', 'facebook_limited_login'] as const;
export type PresetName = (typeof PRESETS)[number];

/** What a well-known provider has for options that the operator need not look up, and where it differs from the rest. */
export interface Preset {
  /** With `{tenantid}` where it has many tenants. */
  readonly issuer: string;
  /** Whether the operator may name another one: national clouds. */
  readonly mayChangeIssuer: boolean;
  /** Other names that its tokens call the same issuer. */
  readonly furtherIssuers: readonly string[];
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly scope: readonly string[];
  readonly wordsForVerified: readonly unknown[];
}

const COMMON = {
  mayChangeIssuer: false,
  furtherIssuers: [],
  algorithms: ['RS256'],
  scope: ['openid', 'email', 'profile'],
  wordsForVerified: [true],
} as const;

export const presets: Readonly<Record<PresetName, Preset>> = {
  google: {
    ...COMMON,
    issuer: 'https://accounts.google.com',
    // https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
    furtherIssuers: ['accounts.google.com'],
  },
  apple: {
    ...COMMON,
    issuer: 'https://appleid.apple.com',
    // With a name or an address asked for, Apple sends browsers back by POST from its own site only, which our callback
    // does not take. Tokens hold the address all the same once an app of the operator's was given it.
    scope: [],
    // https://developer.apple.com/documentation/signinwithapple/authenticating-users-with-sign-in-with-apple
    wordsForVerified: [true, 'true'],
  },
  microsoft: {
    ...COMMON,
    issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    mayChangeIssuer: true,
  },
  facebook_limited_login: {
    ...COMMON,
    issuer: 'https://www.facebook.com',
    furtherIssuers: ['https://limited.facebook.com'],
  },
};

export const TENANT_PLACE = '{tenantid}';

/** Personal accounts; the tenant that stands for all of them. */
const CONSUMERS = '9188040d-6c67-4c5b-b112-36a304b66dad';

/**
 * At which of Microsoft's addresses the keys of these tenants are found. For one it is its own; for several one that
 * serves all, whose document names the issuer with the place for the tenant left open.
 */
export function authorityOf(tenants: readonly string[]): string {
  if (tenants.length === 1) return tenants[0]!;
  return tenants.includes(CONSUMERS) ? 'common' : 'organizations';
}
