import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import { toSubject } from '../../identity/subject.js';
import type { ProfileClaims, ProviderRef, VerifiedIdentity } from '../../identity/verified-identity.js';
import type { FirebaseOptions } from './firebase.options.js';

/** By how much Google's clock may be ahead of ours. */
const AHEAD_MILLISECONDS = 5 * 60_000;

/** For display only: what is unusable is left out, and keeps nobody from signing in. */
const shown = <Schema extends z.ZodType>(schema: Schema) => schema.optional().catch(undefined);

/** People choose their names: control characters and halves of characters, which databases refuse, come along. */
const text = z.string().refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value));

const claimsSchema = z.looseObject({
  sub: z.unknown(),
  auth_time: z.int().positive(),
  email: shown(text.regex(/^[^\s@]+@[^\s@]+$/).max(320)),
  email_verified: z.unknown().optional(),
  /** E.164 */
  phone_number: shown(z.string().regex(/^\+[1-9]\d{1,14}$/)),
  name: shown(text.min(1).max(255)),
  picture: shown(z.url({ protocol: /^https$/ }).max(2048)),
  firebase: z.looseObject({
    sign_in_provider: z.string().min(1).max(128),
    tenant: z.string().optional(),
    identities: shown(z.looseObject({ phone: shown(z.array(z.string())) })),
  }),
});
type Claims = z.infer<typeof claimsSchema>;

/**
 * What the claims of a genuine token come to under the provider's policy.
 *
 * @param claims as the library verified them. @param now in milliseconds.
 * @throws BrokerError `invalid_credentials` for another tenant, for ways to sign in that the definition does not
 *   list, and for claims that name nobody.
 */
export function toIdentity(
  claims: unknown,
  options: FirebaseOptions,
  provider: ProviderRef,
  now: number,
): VerifiedIdentity {
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) throw refusal('the claims are not those of an ID token');
  const token = parsed.data;
  // A user of one tenant may have made herself whatever address she likes there.
  if (token.firebase.tenant !== options.tenant_id) throw refusal('a token of another tenant');
  const method = token.firebase.sign_in_provider;
  if (!options.sign_in_methods.includes(method)) throw refusal('a sign-in method that is not allowed');
  if (method === 'phone' && token.phone_number === undefined)
    throw refusal('a phone sign-in without a number');
  if (method === 'password' && token.email === undefined)
    throw refusal('an e-mail sign-in without an address');
  const authTime = token.auth_time * 1000;
  if (authTime > now + AHEAD_MILLISECONDS) throw refusal('proven in the future');
  return {
    provider,
    subject: toSubject(token.sub),
    ...addresses(token, options.emulator !== undefined),
    profile: profileOf(token),
    amr: amrOf(method),
    authTime: new Date(authTime),
  };
}

/** Everybody can have an emulator say everything: nothing that it says of an address counts, whatever the policies. */
function addresses({ email, email_verified, phone_number, firebase }: Claims, byEmulator: boolean) {
  const phones = firebase.identities?.phone ?? [];
  return {
    ...(email !== undefined && {
      // The text "true" is no true: fields that people can set have held it elsewhere.
      email: { address: email, verified: email_verified === true && !byEmulator },
    }),
    ...(phone_number !== undefined && {
      // An administrator may set a number that nobody proved; what was proven stands among the identities.
      phone: { number: phone_number, verified: phones.includes(phone_number) && !byEmulator },
    }),
  };
}

function profileOf({ name, picture }: Claims): ProfileClaims {
  return { ...(name !== undefined && { name }), ...(picture !== undefined && { picture }) };
}

/** RFC 8176 has `sms` and `pwd`; `fed` says that it was proven elsewhere. */
function amrOf(method: string): readonly string[] {
  if (method === 'phone') return ['sms'];
  if (method === 'password') return ['pwd'];
  return ['fed'];
}

function refusal(reason: string): BrokerError {
  return new BrokerError('invalid_credentials', { cause: new Error(reason) });
}
