import { z } from 'zod';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '../../identity/verify-id-token.js';
import { claimOptions, exactText, exactTexts } from '../claims/claim-options.js';
import { isLoopbackHttp, isProviderUrl } from '../claims/provider-url.js';
import { tlsOptionsSchema } from '../tls.options.js';
import { isAppleKey } from './apple-client-secret.js';
import { authorityOf, presets, PRESETS, TENANT_PLACE } from './presets.js';

const HOUR_SECONDS = 60 * 60;
const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = ['RS256', 'ES256'];
const DEFAULT_SCOPE: readonly string[] = ['openid', 'email', 'profile'];

/** OpenID Connect Discovery 1.0 §4.3: compared with what is discovered character by character. */
const issuer = z
  .string()
  .max(2048)
  .refine(
    (text) => isProviderUrl(withTenant(text, 'tenant')) && !/[?\s]/.test(text),
    'must be an https URL without user information, query and fragment',
  );
const appleKey = z.string().max(4096).refine(isAppleKey, 'must be the private key of Apple (.p8), in PEM');

const given = z.strictObject({
  preset: z.enum(PRESETS).optional(),
  issuer: issuer.optional(),
  tenants: z.array(z.guid().toLowerCase()).min(1).max(50).optional(),
  client_id: exactText,
  client_ids: exactTexts.default([]),
  client_secret: z
    .string()
    .regex(/^[\x21-\x7e]{1,1024}$/, 'must be at most 1024 printable characters')
    .optional(),
  client_auth: z.enum(['basic', 'post']).optional(),
  apple: z
    .strictObject({
      team_id: z.string().regex(/^[A-Z0-9]{10}$/, 'must be the ten characters of an Apple team id'),
      key_id: z.string().regex(/^[A-Z0-9]{10}$/, 'must be the ten characters of an Apple key id'),
      private_key: appleKey,
    })
    .optional(),
  algorithms: z.array(z.enum(SIGNATURE_ALGORITHMS)).min(1).max(10).optional(),
  scope: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/, 'must be a scope'))
    .max(20)
    .optional(),
  hosted_domains: z
    .array(z.string().regex(/^[a-z0-9.-]{1,253}$/, 'must be a domain in lower case'))
    .min(1)
    .max(50)
    .optional(),
  access_tokens: z.enum(['off', 'introspection', 'jwt', 'google_tokeninfo']).default('off'),
  access_token_audiences: exactTexts.optional(),
  userinfo: z.boolean().default(false),
  nonce: z.enum(['required', 'optional']).default('required'),
  id_token_max_age_seconds: z
    .int()
    .min(30)
    .max(24 * HOUR_SECONDS)
    .default(600),
  ...claimOptions,
  tls: tlsOptionsSchema.optional(),
});
type Given = z.output<typeof given>;

/** The options of an `oidc` provider, with what its preset and its tenants make of them. */
export const oidcOptionsSchema = given
  .superRefine((options, context) => {
    for (const [name, message] of faultsOf(options)) {
      context.addIssue({ code: 'custom', path: [name], message });
    }
  })
  .transform(resolved);

export type OidcOptions = z.output<typeof oidcOptionsSchema>;

/** What an operator should know of these options. */
export function oidcWarnings(options: OidcOptions): string[] {
  const { preset, nonce, client_secret, apple, tenantIssuer } = options;
  return [
    ...(isLoopbackHttp(options.authority) ? ['issuer: plain HTTP, for stand-ins on this machine'] : []),
    ...(nonce === 'optional'
      ? ['nonce: optional: whoever reads an ID token before it is used can sign in with it, once']
      : []),
    ...(preset === 'apple' && apple === undefined && client_secret === undefined
      ? ['apple: not given: people can sign in by the app alone, not by a browser']
      : []),
    ...(preset === 'apple' && client_secret !== undefined
      ? [
          "client_secret: Apple's are for six months at most; with apple.private_key they are made as they are needed",
        ]
      : []),
    ...(preset === 'microsoft' && tenantIssuer !== presets.microsoft.issuer
      ? ["issuer is not Microsoft's own: whoever runs it decides who signs in"]
      : []),
  ];
}

/** The address of the issuer, with the tenant in the place for it. */
export function withTenant(issuer: string, tenant: string): string {
  return issuer.replaceAll(TENANT_PLACE, () => tenant);
}

/** Whether browsers can be sent there: Limited Login is for apps. */
export function hasCodeFlow({ preset }: OidcOptions): boolean {
  return preset !== 'facebook_limited_login';
}

function resolved(options: Given) {
  const preset = options.preset === undefined ? undefined : presets[options.preset];
  const template = options.issuer ?? preset!.issuer;
  const { tenants } = options;
  const names = tenants === undefined ? [template] : tenants.map((tenant) => withTenant(template, tenant));
  return {
    ...options,
    /** What the discovered document has to call itself. */
    issuer: names.length === 1 ? names[0]! : template,
    /** What tokens may call it. */
    issuers: [...names, ...(preset?.furtherIssuers ?? [])],
    /** Whose document is asked for. */
    authority: tenants === undefined ? template : withTenant(template, authorityOf(tenants)),
    /** With a place for the tenant; undefined where there are none. */
    tenantIssuer: tenants === undefined ? undefined : template,
    audiences: [options.client_id, ...options.client_ids],
    algorithms: options.algorithms ?? preset?.algorithms ?? DEFAULT_ALGORITHMS,
    scope: options.scope ?? preset?.scope ?? DEFAULT_SCOPE,
    wordsForVerified: preset?.wordsForVerified ?? [true],
  };
}

type Fault = readonly [name: string, message: string];

/** Rules between options: a fault for each that is broken. */
function faultsOf(options: Given): Fault[] {
  return [...issuerFaults(options), ...clientFaults(options), ...accessTokenFaults(options)];
}

function issuerFaults({ preset: name, issuer: own, tenants, hosted_domains }: Given): Fault[] {
  const preset = name === undefined ? undefined : presets[name];
  const template = own ?? preset?.issuer ?? '';
  const hasPlace = template.includes(TENANT_PLACE);
  return [
    ...fault(own === undefined && !preset, 'issuer', 'is needed, or preset'),
    ...fault(
      own !== undefined && preset?.mayChangeIssuer === false,
      'issuer',
      `is given by the preset ${name}`,
    ),
    // Whoever makes a tenant of their own would be one of everybody's: that must be said, tenant by tenant.
    ...fault(hasPlace && tenants === undefined, 'tenants', 'is needed: whose people may sign in'),
    ...fault(
      !hasPlace && tenants !== undefined,
      'tenants',
      `has no place without ${TENANT_PLACE} in the issuer`,
    ),
    ...fault(
      hosted_domains !== undefined && name !== 'google',
      'hosted_domains',
      'has a meaning with the preset google alone',
    ),
  ];
}

function clientFaults({ preset, apple, client_secret, scope }: Given): Fault[] {
  return [
    ...fault(apple !== undefined && preset !== 'apple', 'apple', 'has no place without the preset apple'),
    ...fault(
      apple !== undefined && client_secret !== undefined,
      'client_secret',
      'has no place beside apple',
    ),
    ...fault(
      preset === 'apple' && scope !== undefined && scope.length > 0,
      'scope',
      'must be empty: with scopes, Apple sends browsers back in a way that is not taken here',
    ),
    ...fault(
      preset !== 'apple' && scope !== undefined && !scope.includes('openid'),
      'scope',
      'must have openid in it, or there is no ID token',
    ),
  ];
}

/** A bare access token does not show whom it was made for: only where that can be found out it is worth anything. */
function accessTokenFaults(options: Given): Fault[] {
  const { access_tokens: how, access_token_audiences: audiences, client_secret, preset } = options;
  return [
    ...fault(
      how === 'jwt' && audiences === undefined,
      'access_token_audiences',
      'is needed: for whom access tokens have to be made',
    ),
    ...fault(
      audiences !== undefined && how !== 'jwt' && how !== 'introspection',
      'access_token_audiences',
      `has no meaning with access_tokens: ${how}`,
    ),
    ...fault(
      how === 'introspection' && client_secret === undefined,
      'client_secret',
      'is needed to ask about access tokens',
    ),
    ...fault(how === 'google_tokeninfo' && preset !== 'google', 'access_tokens', 'needs the preset google'),
  ];
}

function fault(isOne: boolean, name: string, message: string): Fault[] {
  return isOne ? [[name, message]] : [];
}
