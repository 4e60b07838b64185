import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import type { AdminKey } from '../admin-keys/admin-key.js';
import { ApplicationsService } from '../applications/applications.service.js';
import { settingWarnings, SettingsError } from '../applications/application-settings.js';
import { BrokerError } from '../errors/broker-error.js';
import { SessionService } from '../session/session.service.js';
import { AdminKeyGuard, AdminOperation, CurrentAdminKey } from './admin-key.guard.js';
import {
  applicationsQuery,
  changeSettingsBody,
  createApplicationBody,
  settingsFault,
  toId,
} from './requests.js';
import {
  applicationAnswer,
  applicationsAnswer,
  changedApplicationAnswer,
  nextCursor,
  toApplicationBody,
  toApplicationWithSecretBody,
} from './responses.js';

/** Applications and their settings. */
@Controller('admin/v1/applications')
@UseGuards(AdminKeyGuard)
export class AdminApplicationsController {
  constructor(
    private readonly applications: ApplicationsService,
    private readonly sessions: SessionService,
  ) {}

  @Get()
  @AdminOperation('viewer', {
    summary: 'Applications, oldest first',
    status: 200,
    answer: applicationsAnswer,
  })
  async list(@Query({ schema: applicationsQuery }) { limit, cursor }: z.infer<typeof applicationsQuery>) {
    const page = await this.applications.page(Number(cursor ?? 0), limit);
    return { items: page.map(toApplicationBody), next_cursor: nextCursor(page, limit) };
  }

  @Post()
  @HttpCode(201)
  @AdminOperation('owner', {
    summary: 'Make an application; the answer has its keys',
    status: 201,
    answer: applicationAnswer,
  })
  async create(@Body({ schema: createApplicationBody }) { name }: z.infer<typeof createApplicationBody>) {
    return toApplicationWithSecretBody(await this.applications.create(name));
  }

  @Get(':id')
  @AdminOperation('viewer', {
    summary: 'One application; its auth_secret for owners only',
    status: 200,
    answer: applicationAnswer,
    errors: ['application_not_found'],
  })
  async show(@Param('id') id: string, @CurrentAdminKey() key: AdminKey) {
    const application = await this.applications.find(toId(id, 'application_not_found'));
    if (!application) throw new BrokerError('application_not_found');
    return key.role === 'owner' ? toApplicationWithSecretBody(application) : toApplicationBody(application);
  }

  @Patch(':id/settings')
  @AdminOperation('operator', {
    summary: 'Change settings, all of those given or none; null goes back to the default',
    status: 200,
    answer: changedApplicationAnswer,
    errors: ['application_not_found'],
  })
  async changeSettings(
    @Param('id') id: string,
    @Body({ schema: changeSettingsBody }) changes: z.infer<typeof changeSettingsBody>,
  ) {
    const application = await this.applications
      .set(toId(id, 'application_not_found'), changes)
      .catch((error: unknown) => {
        throw error instanceof SettingsError ? settingsFault(error) : error;
      });
    if (!application) throw new BrokerError('application_not_found');
    return { ...toApplicationBody(application), warnings: settingWarnings(changes) };
  }

  @Post(':id/end-sessions')
  @HttpCode(204)
  @AdminOperation('operator', {
    summary: 'End every session of the application',
    status: 204,
    errors: ['application_not_found'],
  })
  async endSessions(@Param('id') id: string): Promise<void> {
    const application = await this.applications.find(toId(id, 'application_not_found'));
    if (!application) throw new BrokerError('application_not_found');
    await this.sessions.endAllOfApplication(application.id);
  }
}
