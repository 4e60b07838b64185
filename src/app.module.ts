import { Module, type DynamicModule } from '@nestjs/common';
import { AdminKeysModule } from './admin-keys/admin-keys.module.js';
import { AdminModule } from './admin/admin.module.js';
import { ApiModule } from './api/api.module.js';
import { ApplicationsModule } from './applications/applications.module.js';
import { AuditModule } from './audit/audit.module.js';
import { ChatModule } from './chat/chat.module.js';
import type { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { EventsModule } from './events/events.module.js';
import { OpenApiModule } from './http/openapi/openapi.module.js';
import { RawFacesModule } from './http/raw/raw-faces.module.js';
import { IdentityProvidersModule } from './identity-providers/identity-providers.module.js';
import { JobsModule } from './jobs/jobs.module.js';
import { LocalAuthModule } from './local-auth/local-auth.module.js';
import type { Exposition } from './observability/exposition.js';
import { OAuthModule } from './oauth/oauth.module.js';
import type { Logger } from './observability/logger.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { OutboxModule } from './outbox/outbox.module.js';
import { PersistenceModule } from './persistence/persistence.module.js';
import { encryptedColumns, rows } from './rows.js';
import { SecretsModule } from './secrets/secrets.module.js';
import { SessionModule } from './session/session.module.js';
import { CustomIdpModule } from './custom-idp/custom-idp.module.js';
import { SocialAuthModule } from './social-auth/social-auth.module.js';
import { PRODUCT_VERSION } from './version.js';

/** The map of the product: ground first, features next, faces last. No logic. */
@Module({})
export class AppModule {
  /** @param exposition what /metrics answers with where several processes serve; null: what this one counts. */
  static of(config: Config, logger: Logger, exposition: Exposition | null = null): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.of(config),
        EventsModule,
        PersistenceModule.of(rows),
        AuditModule,
        SecretsModule.of(encryptedColumns),
        ObservabilityModule.of(logger, config.management, exposition),
        JobsModule,
        OutboxModule,
        RawFacesModule,

        AdminKeysModule,
        ApplicationsModule,
        SocialAuthModule,
        CustomIdpModule,
        IdentityProvidersModule,
        SessionModule,
        LocalAuthModule,
        ChatModule,

        ApiModule,
        OAuthModule,
        AdminModule,
        OpenApiModule.of({ version: PRODUCT_VERSION }),
      ],
    };
  }
}
