import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { TimeModule } from '../time/time.module.js';
import { IdentityProviderRepository } from './identity-provider.repository.js';
import { IdentityProvidersService } from './identity-providers.service.js';
import { ProviderCallMetrics } from './provider-call-metrics.js';
import { ProviderCalls } from './provider-calls.js';
import { ProviderDirectory } from './provider-directory.js';

/**
 * Owns the provider instances of applications: their definitions, policies, versions, and the opened verifiers. What a
 * kind is, `identity` knows; what becomes of an identity, `accounts`.
 */
@Module({
  imports: [IdentityModule, TimeModule],
  providers: [
    IdentityProviderRepository,
    IdentityProvidersService,
    ProviderDirectory,
    ProviderCallMetrics,
    ProviderCalls,
  ],
  exports: [IdentityProvidersService, ProviderDirectory, ProviderCalls],
})
export class IdentityProvidersModule {}
