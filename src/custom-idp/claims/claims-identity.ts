import type { OneTimeUse, ProviderRef, VerifiedIdentity } from '../../identity/verified-identity.js';
import type { VerificationTrace } from '../../observability/verification-trace.js';
import { applyMapping } from '../mapping/apply-mapping.js';
import type { ClaimOptions } from './claim-options.js';

/** Statements about a person that their issuer has been found to make. */
export type Claims = Readonly<Record<string, unknown>>;

const EMAIL_VERIFIED = 'email_verified';
const MAX_METHODS = 10;

/** Facts of a verification that no mapping has a say in. */
export interface Proof {
  readonly authTime: Date;
  readonly oneTime?: OneTimeUse | undefined;
  /** What the issuer writes for "verified" where that is not `true` alone (Apple has it as a text). */
  readonly wordsForVerified?: readonly unknown[];
}

/**
 * The person whom claims are about, by the operator's mapping.
 *
 * @param claims verified, whatever that takes with this kind.
 * @throws BrokerError as `applyMapping`.
 */
export function identityOf(
  provider: ProviderRef,
  { mapping, email_verified_claim }: ClaimOptions,
  claims: Claims,
  { authTime, oneTime, wordsForVerified = [true] }: Proof,
  trace: VerificationTrace | undefined,
): VerifiedIdentity {
  const { email, phone, ...person } = applyMapping(mapping, claims, trace);
  const says = (claim: string) => wordsForVerified.includes(ownClaim(claims, claim));
  // The standard claims speak of the standard addresses: another one that the operator maps is not verified by them.
  const isEmailVerified =
    email_verified_claim === undefined
      ? email === ownClaim(claims, 'email') && says(EMAIL_VERIFIED)
      : says(email_verified_claim);
  const isPhoneVerified =
    phone === digitsOf(ownClaim(claims, 'phone_number')) && says('phone_number_verified');
  return {
    provider,
    ...person,
    ...(email !== undefined && { email: { address: email, verified: isEmailVerified } }),
    ...(phone !== undefined && { phone: { number: phone, verified: isPhoneVerified } }),
    amr: methodsIn(ownClaim(claims, 'amr')),
    authTime,
    ...(oneTime && { oneTime }),
  };
}

/** @returns undefined where there is none: what every object inherits is no claim. */
export function ownClaim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** OpenID Connect Core §5.1 recommends E.164, and allows blanks and brackets. */
function digitsOf(phone: unknown): string | undefined {
  return typeof phone === 'string' ? phone.replace(/[\s().-]/g, '') : undefined;
}

/** RFC 8176; words that are none are left out. */
function methodsIn(amr: unknown): readonly string[] {
  const words: readonly unknown[] = Array.isArray(amr) ? amr : [];
  return words
    .filter((word) => typeof word === 'string')
    .filter((word) => /^[a-z0-9_.-]{1,32}$/.test(word))
    .slice(0, MAX_METHODS);
}
