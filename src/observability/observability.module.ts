import { Module, type DynamicModule } from '@nestjs/common';
import type { ManagementConfig } from '../config/config.js';
import { Exposition } from './exposition.js';
import { Health } from './health.js';
import { Logger } from './logger.js';
import { ManagementServer } from './management-server.js';
import { Metrics } from './metrics.js';
import { ProbesController } from './probes.controller.js';

/**
 * Owns what an operator sees: logs, metrics, probes. Routes: GET /health/live, /health/ready, /metrics (or the
 * same three on the management port).
 */
@Module({})
export class ObservabilityModule {
  /** @param exposition null: this process is the only one that serves, and answers with its own. */
  static of(logger: Logger, management: ManagementConfig, exposition: Exposition | null): DynamicModule {
    return {
      module: ObservabilityModule,
      global: true,
      controllers: management.port === null ? [ProbesController] : [],
      providers: [
        { provide: Logger, useValue: logger },
        Metrics,
        exposition
          ? { provide: Exposition, useValue: exposition }
          : { provide: Exposition, useExisting: Metrics },
        Health,
        ManagementServer,
      ],
      exports: [Logger, Metrics, Health, ManagementServer],
    };
  }
}
