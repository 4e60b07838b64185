import { Injectable } from '@nestjs/common';
import { AuditConfig } from '../config/config.js';
import type { Job, JobBatch } from '../jobs/job.js';
import { Clock } from '../time/clock.js';
import { AuditLog } from './audit-log.js';

const BATCH = 500;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/** Removes entries of the audit log that are older than `audit.retention_days`. */
@Injectable()
export class PurgeAuditJob implements Job {
  readonly name = 'purge-audit';
  readonly everySeconds = 24 * 60 * 60;

  constructor(
    private readonly audit: AuditLog,
    private readonly config: AuditConfig,
    private readonly clock: Clock,
  ) {}

  /** The oldest are always first, so that there is no place to remember; the cursor says that there are more. */
  async runBatch(): Promise<JobBatch> {
    const before = this.clock.now() - this.config.retentionDays * DAY_MILLISECONDS;
    const done = await this.audit.purge(before, BATCH);
    return { done, nextCursor: done < BATCH ? null : 'more' };
  }
}
