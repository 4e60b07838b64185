import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';

/**
 * Owns the verifiers of the big social providers, one folder each. They register their kinds with `identity` and know
 * nothing of users, sessions or each other.
 */
@Module({ imports: [IdentityModule, OutboundModule] })
export class SocialAuthModule {}
