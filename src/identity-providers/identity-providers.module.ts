import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity/identity.module.js';
import { OutboundModule } from '../outbound/outbound.module.js';
import { TimeModule } from '../time/time.module.js';
import { IdentityProviderRepository } from './identity-provider.repository.js';
import { IdentityProvidersService } from './identity-providers.service.js';
import { ProviderCallMetrics } from './provider-call-metrics.js';
import { ProviderCalls } from './provider-calls.js';
import { ProviderDestinations } from './provider-destinations.js';
import { ProviderDirectory } from './provider-directory.js';
import { ProviderVersionRepository } from './provider-version.repository.js';
import { ProviderVersions } from './provider-versions.js';
import { SecretFingerprints } from './secret-fingerprints.js';

/**
 * Owns the provider instances of applications: their definitions, policies, versions, and the opened verifiers. What a
 * kind is, `identity` knows; what becomes of an identity, `accounts`.
 */
@Module({
  imports: [IdentityModule, OutboundModule, TimeModule],
  providers: [
    IdentityProviderRepository,
    IdentityProvidersService,
    ProviderDestinations,
    ProviderVersionRepository,
    ProviderVersions,
    SecretFingerprints,
    ProviderDirectory,
    ProviderCallMetrics,
    ProviderCalls,
  ],
  exports: [IdentityProvidersService, ProviderDirectory, ProviderCalls],
})
export class IdentityProvidersModule {}
