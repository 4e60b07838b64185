import { Module } from '@nestjs/common';
import { TimeModule } from '../time/time.module.js';
import { AdminKeyRepository } from './admin-key.repository.js';
import { AdminKeysService } from './admin-keys.service.js';

/**
 * Owns the keys of the admin API and what their roles are. What a role is needed for is said on each route in
 * `admin/`; keys are made and revoked on the command line.
 */
@Module({
  imports: [TimeModule],
  providers: [AdminKeyRepository, AdminKeysService],
  exports: [AdminKeysService],
})
export class AdminKeysModule {}
