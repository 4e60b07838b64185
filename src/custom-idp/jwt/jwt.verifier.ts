import { z } from 'zod';
import type { IdentityVerifier, VerifyOptions } from '../../identity/identity-verifier.js';
import type { VerifiedIdToken } from '../../identity/signed-token.js';
import { toldCheck, type Check } from '../../identity/told-check.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import { verifyIdToken } from '../../identity/verify-id-token.js';
import { verifySecretToken } from '../../identity/verify-secret-token.js';
import { JwksCache } from '../../outbound/jwks-cache.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import { identityOf } from '../claims/claims-identity.js';
import { toOutboundTls } from '../tls.options.js';
import { FixedKeys } from './fixed-keys.js';
import { keysOf, type JwtOptions } from './jwt.options.js';

const credential = z.strictObject({ token: z.string().min(1).max(8192) });
type JwtCredential = z.output<typeof credential>;

const HAS_ID: Check = { name: 'jti', reason: 'it has no id, and is to be used once' };

/** Verifies tokens that a partner's own backend signs. */
export class JwtVerifier implements IdentityVerifier<JwtCredential> {
  readonly credentialSchema = credential;
  private readonly verifyToken: (token: string, options: VerifyOptions) => Promise<VerifiedIdToken>;

  constructor(
    private readonly definition: ProviderDefinition<JwtOptions>,
    outbound: OutboundClient,
    clock: Clock,
  ) {
    const {
      issuer: issuers,
      audience: audiences,
      token_types: types,
      max_age_seconds,
      tls,
    } = definition.options;
    const expected = { issuers, audiences, types, maxAgeSeconds: max_age_seconds, clock };
    const source = keysOf(definition.options);
    if (source.kind === 'secret') {
      const { secret, algorithms } = source;
      this.verifyToken = (token, { trace }) =>
        verifySecretToken(token, { ...expected, secret, algorithms, trace });
    } else {
      const { algorithms } = source;
      const keys =
        source.kind === 'fixed'
          ? new FixedKeys(source.keys)
          : new JwksCache(source.url, outbound, clock, toOutboundTls(tls));
      this.verifyToken = (token, { signal, trace }) =>
        verifyIdToken(token, { ...expected, keys, algorithms, signal, trace });
    }
  }

  async verify({ token }: JwtCredential, options: VerifyOptions): Promise<VerifiedIdentity> {
    const { ref, options: settings } = this.definition;
    const { claims, authTime, oneTime } = await this.verifyToken(token, options);
    if (settings.one_time) {
      toldCheck(options.trace, HAS_ID, claims['jti'] !== undefined, 'an id', claims['jti']);
    }
    const proof = { authTime, oneTime: settings.one_time ? oneTime : undefined };
    return identityOf(ref, settings, claims, proof, options.trace);
  }
}
