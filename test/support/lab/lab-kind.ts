import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { BrokerError } from '../../../src/errors/broker-error.js';
import type {
  IdentityVerifier,
  RedirectCallback,
  RedirectRequest,
  RedirectsToProvider,
  RedirectStart,
  TakesPasswords,
  TypedPassword,
} from '../../../src/identity/identity-verifier.js';
import { toSubject } from '../../../src/identity/subject.js';
import type { ProviderDefinition, VerifierKind } from '../../../src/identity/verifier-kind.js';
import type { MappedFields, VerifiedIdentity } from '../../../src/identity/verified-identity.js';

/** What the lab says of a person. */
export interface LabClaims {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: unknown;
  readonly phone?: string;
  readonly name?: string;
  readonly locale?: string;
  /** Seconds since the epoch. */
  readonly auth_time?: number;
  readonly jti?: string;
  /** What the operator's mapping would make of it. */
  readonly user?: MappedFields;
  readonly continuity?: string;
}

const optionsSchema = z.strictObject({
  key: z.string().min(8),
  url: z.url().default('https://lab.example'),
  /** What it would dial, if it dialled anybody. */
  dials: z.array(z.string()).default([]),
  fails: z.enum(['down', 'misconfigured']).optional(),
});
type Options = z.output<typeof optionsSchema>;

/** How often each provider of the lab was asked, by its id. */
export const asked = new Map<number, number>();

/** A statement about a person, signed with the key of one provider. */
export function labAssertion(key: string, claims: LabClaims): string {
  const text = Buffer.from(JSON.stringify(claims)).toString('base64url');
  return `${text}.${mac(key, text)}`;
}

/**
 * A kind of provider whose people say what a test needs: addresses verified or not, old sign-ins, one-time statements.
 * For what becomes of an identity; how real providers prove one is tried with their own doubles.
 */
export class LabKind implements VerifierKind<Options> {
  readonly kind = 'lab';
  readonly reservedSlug = null;
  readonly optionsSchema = optionsSchema;
  readonly secretPaths = ['key'];
  readonly defaults = { trustedForEmail: false, trustedForPhone: false };

  constructor(private readonly now: () => number) {}

  secretDestinations({ url }: Options): string[] {
    return [new URL(url).origin];
  }
  destinations({ dials }: Options): URL[] {
    return dials.map((url) => new URL(url));
  }
  warnings(): string[] {
    return [];
  }
  open(definition: ProviderDefinition<Options>): IdentityVerifier & RedirectsToProvider {
    return new LabVerifier(definition, this.now);
  }
}

class LabVerifier implements IdentityVerifier<{ assertion: string }>, RedirectsToProvider, TakesPasswords {
  readonly credentialSchema = z.strictObject({ assertion: z.string().max(4096) });

  constructor(
    private readonly definition: ProviderDefinition<Options>,
    private readonly now: () => number,
  ) {}

  /** Its people have statements for passwords. */
  toCredential({ password }: TypedPassword) {
    return { assertion: password };
  }

  verify({ assertion }: { assertion: string }): Promise<VerifiedIdentity> {
    const { options, ref } = this.definition;
    asked.set(ref.id, (asked.get(ref.id) ?? 0) + 1);
    if (options.fails === 'down') return Promise.reject(new BrokerError('identity_provider_unavailable'));
    if (options.fails === 'misconfigured')
      return Promise.reject(new BrokerError('identity_provider_misconfigured'));
    const [text = '', signature] = assertion.split('.');
    if (signature !== mac(options.key, text)) return Promise.reject(new BrokerError('invalid_credentials'));
    const claims = JSON.parse(Buffer.from(text, 'base64url').toString()) as LabClaims;
    return Promise.resolve({
      provider: ref,
      subject: toSubject(claims.sub),
      ...(claims.email !== undefined && {
        email: { address: claims.email, verified: claims.email_verified === true },
      }),
      ...(claims.phone !== undefined && { phone: { number: claims.phone, verified: true } }),
      profile: {
        ...(claims.name !== undefined && { name: claims.name }),
        ...(claims.locale !== undefined && { locale: claims.locale }),
      },
      amr: ['fed'],
      authTime: new Date(claims.auth_time === undefined ? this.now() : claims.auth_time * 1000),
      ...(claims.user && { user: claims.user }),
      ...(claims.continuity !== undefined && { continuity: claims.continuity }),
      ...(claims.jti !== undefined && {
        oneTime: { id: claims.jti, expiresAt: new Date(this.now() + 3_600_000) },
      }),
    });
  }

  startRedirect({ callbackUrl, state }: RedirectRequest): Promise<RedirectStart> {
    const url = new URL('/authorize', this.definition.options.url);
    url.searchParams.set('redirect_uri', callbackUrl.href);
    url.searchParams.set('state', state);
    return Promise.resolve({ url, state, memory: 'remembered' });
  }

  finishRedirect({ parameters, memory }: RedirectCallback): Promise<VerifiedIdentity> {
    if (memory !== 'remembered') return Promise.reject(new Error('nothing was remembered'));
    if (parameters['error']) return Promise.reject(new BrokerError('invalid_credentials'));
    return this.verify({ assertion: parameters['assertion'] ?? '' });
  }
}

function mac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
