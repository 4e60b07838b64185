import { Module } from '@nestjs/common';
import { AllowedOrigins } from '../http/cors.js';
import { TimeModule } from '../time/time.module.js';
import { ApplicationDirectory } from './application-directory.js';
import { ApplicationRepository } from './application.repository.js';
import { ApplicationsService } from './applications.service.js';

/** Owns tenants: their keys and settings. Everything above asks the directory; only administration changes them. */
@Module({
  imports: [TimeModule],
  providers: [
    ApplicationRepository,
    ApplicationsService,
    ApplicationDirectory,
    { provide: AllowedOrigins, useExisting: ApplicationDirectory },
  ],
  exports: [ApplicationsService, ApplicationDirectory, AllowedOrigins],
})
export class ApplicationsModule {}
