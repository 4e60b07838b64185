import { Injectable } from '@nestjs/common';
import type { Application } from '../../applications/application.js';
import { BrokerError } from '../../errors/broker-error.js';
import { issuesNonces, type IssuedNonce } from '../../identity/identity-verifier.js';
import { SignInService } from './sign-in.service.js';

/**
 * Nonces for apps that get an ID token by themselves, from a provider's own SDK. A token with a nonce of the app's own
 * would prove nothing to us: whoever has read the token knows the nonce.
 */
@Injectable()
export class NoncesService {
  constructor(private readonly signIns: SignInService) {}

  /** @throws BrokerError `unknown_identity_provider`, also for a provider that has no use for nonces. */
  async issue(application: Application, slug: string): Promise<IssuedNonce> {
    const { verifier } = await this.signIns.open(application, slug, 'link');
    if (!issuesNonces(verifier)) throw new BrokerError('unknown_identity_provider');
    return verifier.issueNonce();
  }
}
