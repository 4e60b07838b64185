import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { VerifierKinds } from '../identity/verifier-kinds.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { TimeModule } from '../time/time.module.js';
import { FacebookKind } from './facebook/facebook.kind.js';
import { EmulatorWorkerEntry } from './firebase/emulator-worker-entry.js';
import { FirebaseKind } from './firebase/firebase.kind.js';
import { TwitterKind } from './twitter/twitter.kind.js';

/**
 * Owns the verifiers of the big social providers, one folder each. They register their kinds with `identity` and know
 * nothing of users, sessions or each other.
 */
@Module({
  imports: [IdentityModule, OutboundModule, TimeModule],
  providers: [FacebookKind, TwitterKind, EmulatorWorkerEntry, FirebaseKind],
})
export class SocialAuthModule {
  constructor(kinds: VerifierKinds, facebook: FacebookKind, twitter: TwitterKind, firebase: FirebaseKind) {
    kinds.register(facebook);
    kinds.register(twitter);
    kinds.register(firebase);
  }
}
