import { Global, Module } from '@nestjs/common';
import { JobRegistry } from '../jobs/job-registry.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { TimeModule } from '../time/time.module.js';
import { AuditEntryRepository } from './audit-entry.repository.js';
import { AuditLog } from './audit-log.js';
import { PurgeAuditJob } from './purge-audit.job.js';

/**
 * Owns the record of who did what. What is worth an entry is said where it happens, in the transaction in which it
 * happens; everybody may, so this is global.
 */
@Global()
@Module({
  imports: [JobsModule, TimeModule],
  providers: [AuditEntryRepository, AuditLog, PurgeAuditJob],
  exports: [AuditLog],
})
export class AuditModule {
  constructor(jobs: JobRegistry, purgeAudit: PurgeAuditJob) {
    jobs.register(purgeAudit);
  }
}
