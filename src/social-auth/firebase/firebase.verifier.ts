import { z } from 'zod';
import type { IdentityVerifier, VerifyOptions } from '../../identity/identity-verifier.js';
import type { VerifiedIdentity } from '../../identity/verified-identity.js';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import { toIdentity } from './firebase-claims.js';
import { checkTokenShape } from './firebase-token-shape.js';
import type { FirebaseOptions } from './firebase.options.js';
import type { TokenJudge } from './token-judge.js';

/** More than any ID token with custom claims has. */
const MAX_TOKEN_CHARACTERS = 8 * 1024;

const credentialSchema = z.strictObject({ id_token: z.string().min(1).max(MAX_TOKEN_CHARACTERS) });
type FirebaseCredential = z.infer<typeof credentialSchema>;

/**
 * Firebase Authentication: ID tokens of one project, whatever people signed in with there. Never its session cookies,
 * custom tokens or access tokens.
 */
export class FirebaseVerifier implements IdentityVerifier<FirebaseCredential> {
  readonly credentialSchema = credentialSchema;

  constructor(
    private readonly definition: ProviderDefinition<FirebaseOptions>,
    private readonly judge: TokenJudge,
  ) {}

  async verify({ id_token }: FirebaseCredential, { signal }: VerifyOptions): Promise<VerifiedIdentity> {
    checkTokenShape(id_token, this.judge.origin);
    const claims = await this.judge.judge(id_token, signal);
    const { ref, options } = this.definition;
    // The library too goes by the machine's clock.
    return toIdentity(claims, options, ref, Date.now());
  }
}
