import { Body, Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import { z } from 'zod';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { RehearsalService } from '../session/rehearsal/rehearsal.service.js';
import {
  rehearsalAnswer,
  toRehearsalDocument,
  type RehearsalDocument,
} from '../session/rehearsal/rehearsal-document.js';
import { toId, toSlug } from './requests.js';

const rehearsalBody = z.strictObject({
  credential: z.record(z.string(), z.unknown()).describe('As a client would present it'),
});

/**
 * Sign-ins for show. For operators: whoever sees the answer sees what the provider says of a person, and could watch
 * which addresses answer.
 */
@Controller('admin/v1/applications/:id/providers/:slug/test')
@UseGuards(AdminKeyGuard)
export class AdminRehearsalsController {
  constructor(private readonly rehearsals: RehearsalService) {}

  @Post()
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Do everything that a sign-in does, tell it step by step, and write nothing',
    status: 200,
    answer: rehearsalAnswer,
    errors: ['identity_provider_not_found', 'identity_provider_misconfigured', 'too_many_requests'],
  })
  async rehearse(
    @Param('id') id: string,
    @Param('slug') slug: string,
    @Body({ schema: rehearsalBody }) { credential }: z.infer<typeof rehearsalBody>,
  ): Promise<RehearsalDocument> {
    const applicationId = toId(id, 'identity_provider_not_found');
    return toRehearsalDocument(await this.rehearsals.rehearse(applicationId, toSlug(slug), credential));
  }
}
