import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { toAuditDocument } from '../audit/audit-document.js';
import { AuditLog } from '../audit/audit-log.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { auditQuery } from './requests.js';
import { auditAnswer, nextCursor } from './responses.js';

/** The record of who did what. */
@Controller('admin/v1/audit')
@UseGuards(AdminKeyGuard)
export class AdminAuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @AdminOperation('viewer', {
    summary: 'Entries of the audit log, oldest first',
    status: 200,
    answer: auditAnswer,
  })
  async list(@Query({ schema: auditQuery }) query: z.infer<typeof auditQuery>) {
    const { application_id, since, until, limit, cursor } = query;
    const page = await this.audit.read({
      limit,
      ...(cursor !== undefined && { afterId: Number(cursor) }),
      ...(application_id !== undefined && { applicationId: application_id }),
      ...(since !== undefined && { since: Date.parse(since) }),
      ...(until !== undefined && { until: Date.parse(until) }),
    });
    return { items: page.map(toAuditDocument), next_cursor: nextCursor(page, limit) };
  }
}
