import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import { parseExactNumbers } from '../../identity/exact-json.js';
import type { VerifyOptions } from '../../identity/identity-verifier.js';
import { toldCheck, type Check } from '../../identity/told-check.js';
import type { OutboundClient, OutboundResponse, OutboundTls } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { basicCredentials } from '../claims/basic-credentials.js';
import type { Claims } from '../claims/claims-identity.js';

/** With what we show the endpoint who asks. */
export type IntrospectionAuth =
  | { readonly kind: 'basic' | 'post'; readonly clientId: string; readonly clientSecret: string }
  | { readonly kind: 'bearer'; readonly token: string };

/** Where tokens are asked about, and whose count. Each list that is there has to be met. */
export interface IntrospectionSettings {
  readonly url: URL;
  readonly auth: IntrospectionAuth;
  readonly audiences: readonly string[] | undefined;
  readonly clientIds: readonly string[] | undefined;
  readonly issuer: string | undefined;
  readonly tokenTypeHint: string | undefined;
  readonly tls: OutboundTls | undefined;
}

/** Clocks differ; by more than a minute they are wrong. */
const SKEW_SECONDS = 60;

const CHECKS = {
  active: { name: 'active', reason: 'it is not active' },
  iss: { name: 'iss', reason: 'another issuer' },
  aud: { name: 'aud', reason: 'another audience' },
  clientId: { name: 'client_id', reason: 'issued to another client' },
  person: { name: 'sub', reason: 'it is of a client, not of a person' },
  exp: { name: 'exp', reason: 'expired' },
  nbf: { name: 'nbf', reason: 'not valid yet' },
} as const satisfies Record<string, Check>;

const numericDate = z.number().nonnegative().optional();
/** RFC 7662 §2.2. Whatever else it says is for the mapping. */
const answerSchema = z.looseObject({
  active: z.boolean(),
  iss: z.unknown().optional(),
  sub: z.unknown().optional(),
  aud: z
    .union([z.string().transform((one) => [one]), z.array(z.string())])
    .optional()
    .catch(undefined),
  client_id: z.unknown().optional(),
  exp: numericDate,
  nbf: numericDate,
  iat: numericDate.catch(undefined),
  auth_time: numericDate.catch(undefined),
});

/** What an endpoint said of a token that counts. */
export interface IntrospectedToken {
  readonly claims: Claims;
  readonly authTime: Date;
}

/** Asks an authorization server about a token (RFC 7662). One question for each token, and no memory of the answers. */
export class Introspection {
  constructor(
    private readonly settings: IntrospectionSettings,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  /**
   * @throws BrokerError `invalid_credentials` when the token is not active or not for us;
   *   `identity_provider_misconfigured` when the endpoint does not let us ask; `identity_provider_unavailable`.
   */
  async inspect(token: string, { signal, trace }: VerifyOptions): Promise<IntrospectedToken> {
    const { settings } = this;
    const response = await this.outbound.send({
      method: 'POST',
      url: settings.url,
      ...questionOf(token, settings),
      signal,
      tls: settings.tls,
      ...(trace && { trace: { to: trace, purpose: 'introspection' } }),
    });
    const claims = claimsIn(response);
    const answer = answerSchema.safeParse(claims);
    if (!answer.success) throw unavailable('the introspection endpoint answers rubbish');
    const { active, iss, sub, aud, client_id, exp, nbf, iat, auth_time } = answer.data;
    const now = this.clock.now() / 1000;
    toldCheck(trace, CHECKS.active, active, true, active);
    if (settings.issuer !== undefined)
      toldCheck(trace, CHECKS.iss, iss === settings.issuer, settings.issuer, iss);
    if (settings.audiences) {
      const isForUs = aud?.some((one) => settings.audiences!.includes(one)) ?? false;
      toldCheck(trace, CHECKS.aud, isForUs, settings.audiences, aud);
    }
    if (settings.clientIds) {
      const isOurs = typeof client_id === 'string' && settings.clientIds.includes(client_id);
      toldCheck(trace, CHECKS.clientId, isOurs, settings.clientIds, client_id);
    }
    // A client that gets a token for itself is its subject, with many servers (RFC 9068 §2.2).
    const isMachine = sub !== undefined && sub === client_id;
    toldCheck(trace, CHECKS.person, !isMachine, 'a person', sub);
    if (exp !== undefined) toldCheck(trace, CHECKS.exp, now < exp + SKEW_SECONDS, 'a time to come', exp);
    if (nbf !== undefined) toldCheck(trace, CHECKS.nbf, now >= nbf - SKEW_SECONDS, 'a time gone by', nbf);
    return { claims, authTime: new Date(Math.min(this.clock.now(), (auth_time ?? iat ?? Infinity) * 1000)) };
  }
}

/** The token as it came: whatever is done to it would make another one of it. */
function questionOf(token: string, { auth, tokenTypeHint }: IntrospectionSettings) {
  const form = new URLSearchParams({
    token,
    ...(tokenTypeHint !== undefined && { token_type_hint: tokenTypeHint }),
  });
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  if (auth.kind === 'bearer') {
    headers['authorization'] = `Bearer ${auth.token}`;
  } else if (auth.kind === 'basic') {
    headers['authorization'] = `Basic ${basicCredentials(auth.clientId, auth.clientSecret)}`;
  } else {
    form.set('client_id', auth.clientId);
    form.set('client_secret', auth.clientSecret);
  }
  return { headers, body: form.toString() };
}

function claimsIn({ status, body }: OutboundResponse): Claims {
  if (status >= 500 || status === 429 || status === 408) {
    throw unavailable(`the introspection endpoint answers with status ${status}`);
  }
  if (status !== 200) {
    // 401 and 403 are about us: of a token that is worth nothing it says so, with status 200 (RFC 7662 §2.2).
    throw new BrokerError('identity_provider_misconfigured', {
      cause: new Error(`the introspection endpoint answers with status ${status}`),
    });
  }
  try {
    const value = parseExactNumbers(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Claims;
  } catch {
    // What it is instead must not get into an error.
  }
  throw unavailable('the introspection endpoint answers rubbish');
}

function unavailable(reason: string): BrokerError {
  return new BrokerError('identity_provider_unavailable', { cause: new Error(reason) });
}
