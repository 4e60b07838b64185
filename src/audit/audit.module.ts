import { Global, Module } from '@nestjs/common';
import { TimeModule } from '../time/time.module.js';
import { AuditEntryRepository } from './audit-entry.repository.js';
import { AuditLog } from './audit-log.js';

/**
 * Owns the record of who did what. What is worth an entry is said where it happens, in the transaction in which it
 * happens; everybody may, so this is global.
 */
@Global()
@Module({
  imports: [TimeModule],
  providers: [AuditEntryRepository, AuditLog],
  exports: [AuditLog],
})
export class AuditModule {}
