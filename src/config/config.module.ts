import { Global, Module, type DynamicModule } from '@nestjs/common';
import {
  AuditConfig,
  ChatConfig,
  type Config,
  DatabaseConfig,
  IdentityProvidersConfig,
  JobsConfig,
  LogConfig,
  ManagementConfig,
  OutboundConfig,
  PasswordsConfig,
  SecretsConfig,
  ServerConfig,
  SessionsConfig,
  ThrottleConfig,
} from './config.js';

/**
 * Owns the settings of the installation (not those of an application: `applications/`). Hands out one token per
 * section; nobody injects the whole and asks for strings.
 */
@Global()
@Module({})
export class ConfigModule {
  static of(config: Config): DynamicModule {
    const sections = [
      { provide: ServerConfig, useValue: config.server },
      { provide: ManagementConfig, useValue: config.management },
      { provide: DatabaseConfig, useValue: config.database },
      { provide: SecretsConfig, useValue: config.secrets },
      { provide: LogConfig, useValue: config.log },
      { provide: AuditConfig, useValue: config.audit },
      { provide: SessionsConfig, useValue: config.sessions },
      { provide: OutboundConfig, useValue: config.outbound },
      { provide: IdentityProvidersConfig, useValue: config.identityProviders },
      { provide: JobsConfig, useValue: config.jobs },
      { provide: PasswordsConfig, useValue: config.passwords },
      { provide: ChatConfig, useValue: config.chat },
      { provide: ThrottleConfig, useValue: config.throttle },
    ];
    return { module: ConfigModule, providers: sections, exports: sections };
  }
}
