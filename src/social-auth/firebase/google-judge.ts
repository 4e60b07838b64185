import type { AppOptions, Credential } from 'firebase-admin/app';
import type { Auth } from 'firebase-admin/auth';
import type { ProviderDefinition } from '../../identity/verifier-kind.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import type { FirebaseApps } from './firebase-apps.js';
import { failureError, firebaseFailure } from './firebase-failure.js';
import type { FirebaseOptions } from './firebase.options.js';
import { giveUpOnAbort } from '../../outbound/give-up-on-abort.js';
import { GoogleAccessTokens } from './google-access-tokens.js';
import type { TokenJudge } from './token-judge.js';

/** Without a credential the library would look for one in the machine's environment and its metadata server. */
export const NO_CREDENTIAL: Credential = {
  getAccessToken: () => Promise.reject(new Error('this provider has no service account')),
};

/** Tokens signed with Google's keys, whose certificates the library fetches through the guarded agent. */
export class GoogleJudge implements TokenJudge {
  readonly origin = 'signed';
  private readonly tokens: GoogleAccessTokens | null;
  private readonly appOptions: AppOptions;

  constructor(
    private readonly definition: ProviderDefinition<FirebaseOptions>,
    private readonly apps: FirebaseApps,
    outbound: OutboundClient,
  ) {
    const { project_id, service_account } = definition.options;
    this.tokens = service_account ? new GoogleAccessTokens(outbound, service_account) : null;
    this.appOptions = {
      projectId: project_id,
      credential: this.tokens ?? NO_CREDENTIAL,
      httpAgent: outbound.agentFor('https:'),
    };
  }

  async judge(idToken: string, signal: AbortSignal): Promise<unknown> {
    const { ref, options } = this.definition;
    if (options.check_revoked) await this.tokens?.ready(signal);
    const ask = (auth: Auth) =>
      tenantOf(auth, options.tenant_id).verifyIdToken(idToken, options.check_revoked).catch(rethrow);
    return this.apps.use(ref, this.appOptions, (auth) => giveUpOnAbort(ask(auth), signal));
  }
}

/** A tenant's users are looked up under the tenant. */
function tenantOf(auth: Auth, tenantId: string | undefined) {
  return tenantId === undefined ? auth : auth.tenantManager().authForTenant(tenantId);
}

function rethrow(error: unknown): never {
  throw failureError(firebaseFailure(error));
}
