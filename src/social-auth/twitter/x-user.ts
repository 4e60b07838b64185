import { createRequire } from 'node:module';
import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import { toSubject } from '../../identity/subject.js';
import type { ProfileClaims, VerifiedIdentity } from '../../identity/verified-identity.js';
import type { OutboundResponse } from '../../outbound/outbound-client.js';
import { causeOf, isAboutUs, isTrouble, jsonOf, refusalOf } from './x-answer.js';

/** Who X says is behind a token. */
export interface XUser {
  readonly subject: string;
  readonly email?: NonNullable<VerifiedIdentity['email']>;
  readonly profile: ProfileClaims;
}

/** passport-twitter's reading of API 1.1; the package's main file does not export it. */
interface ParsedProfile {
  readonly username?: unknown;
  readonly displayName?: unknown;
  readonly emails?: readonly { readonly value: unknown }[];
  readonly photos?: readonly { readonly value: unknown }[];
}
const { parse: parseProfile } = createRequire(import.meta.url)('passport-twitter/lib/profile') as {
  readonly parse: (json: object) => ParsedProfile;
};

const shown = z.string().trim().min(1).max(255).optional().catch(undefined);
const picture = z
  .url({ protocol: /^https$/ })
  .max(2048)
  .optional()
  .catch(undefined);
const claims = z.object({ name: shown, preferred_username: shown, picture });
const address = z.email().max(254).optional().catch(undefined);
const dataSchema = z.record(z.string(), z.unknown()).catch({});

/** The user of `verify_credentials` (API 1.1). @throws BrokerError as `verify`. */
export function userOfV1(answer: OutboundResponse): XUser {
  const json = jsonOf(answer);
  const profile = parseProfile(json);
  const email = address.parse(profile.emails?.[0]?.value);
  return {
    // `id` is the same as a JSON number, which loses digits: two people would become one.
    subject: textSubject(json['id_str']),
    // X does not say when, or whether still, an address was verified.
    ...(email !== undefined && { email: { address: email, verified: false } }),
    profile: claims.parse({
      name: profile.displayName,
      preferred_username: profile.username,
      picture: profile.photos?.[0]?.value,
    }),
  };
}

/** The user of `/2/users/me`, whichever way the request was authorized. @throws BrokerError as `verify`. */
export function userOfV2(answer: OutboundResponse): XUser {
  if (answer.status !== 200) throw faultOf(answer);
  const data = dataSchema.parse(jsonOf(answer)['data']);
  return {
    subject: textSubject(data['id']),
    profile: claims.parse({
      name: data['name'],
      preferred_username: data['username'],
      picture: data['profile_image_url'],
    }),
  };
}

/** 400 among them: of such a request only the credential varies. */
const CREDENTIAL_STATUSES = new Set([400, 401, 403]);

/**
 * Whose fault it is that X does not name the user. A wrong consumer secret is answered like a wrong token secret
 * (errors 32 and 215, status 401), so what cannot be told apart is the credential's fault: otherwise anybody could
 * have the provider called broken.
 */
export function faultOf(answer: OutboundResponse): BrokerError {
  const refusal = refusalOf(answer);
  const cause = causeOf(refusal, 'a question for the user');
  if (isTrouble(refusal)) return new BrokerError('identity_provider_unavailable', { cause });
  if (isAboutUs(refusal)) return new BrokerError('identity_provider_misconfigured', { cause });
  if (CREDENTIAL_STATUSES.has(refusal.status)) return new BrokerError('invalid_credentials', { cause });
  return new BrokerError('identity_provider_unavailable', { cause });
}

function textSubject(id: unknown): string {
  return toSubject(typeof id === 'string' ? id : undefined);
}
