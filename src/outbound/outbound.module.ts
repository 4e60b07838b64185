import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { DestinationCheck } from './destination-check.js';
import { NameResolver } from './name-resolver.js';
import { OutboundClient } from './outbound-client.js';

/** Owns the way out: the one client for identity providers, and agents for libraries that dial by themselves. */
@Module({
  providers: [NameResolver, OutboundClient, DestinationCheck],
  exports: [OutboundClient, DestinationCheck],
})
export class OutboundModule implements OnApplicationShutdown {
  constructor(private readonly client: OutboundClient) {}

  onApplicationShutdown(): Promise<void> {
    return this.client.close();
  }
}
