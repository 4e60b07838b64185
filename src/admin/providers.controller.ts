import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { ApplicationsService } from '../applications/applications.service.js';
import { BrokerError } from '../errors/broker-error.js';
import { IdentityProvidersService } from '../identity-providers/identity-providers.service.js';
import {
  definitionSchema,
  replacementSchema,
  type ProviderDocument,
} from '../identity-providers/provider-definition.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { toId, toSlug } from './requests.js';
import { providerAnswer, providersAnswer } from './responses.js';

/** The identity providers of an application. Who changes them decides who gets in as whom, which is for owners. */
@Controller('admin/v1/applications/:id/providers')
@UseGuards(AdminKeyGuard)
export class AdminProvidersController {
  constructor(
    private readonly applications: ApplicationsService,
    private readonly providers: IdentityProvidersService,
  ) {}

  @Get()
  @AdminOperation('viewer', {
    summary: 'Its identity providers, oldest first, without their secrets',
    status: 200,
    answer: providersAnswer,
    errors: ['application_not_found'],
  })
  async list(@Param('id') id: string) {
    return { items: await this.providers.list(await this.applicationId(id)) };
  }

  @Post()
  @HttpCode(201)
  @AdminOperation('owner', {
    summary: 'Add an identity provider',
    status: 201,
    answer: providerAnswer,
    errors: ['application_not_found', 'slug_taken'],
  })
  async create(
    @Param('id') id: string,
    @Body({ schema: definitionSchema }) definition: z.infer<typeof definitionSchema>,
  ): Promise<ProviderDocument> {
    return this.providers.create(await this.applicationId(id), definition);
  }

  @Get(':slug')
  @AdminOperation('viewer', {
    summary: 'One identity provider, without its secrets',
    status: 200,
    answer: providerAnswer,
    errors: ['identity_provider_not_found'],
  })
  show(@Param('id') id: string, @Param('slug') slug: string): Promise<ProviderDocument> {
    return this.providers.show(toId(id, 'identity_provider_not_found'), toSlug(slug));
  }

  @Put(':slug')
  @AdminOperation('owner', {
    summary: 'Replace its definition; secrets that are left out stay, unless what they are sent to changes',
    status: 200,
    answer: providerAnswer,
    errors: ['identity_provider_not_found', 'busy'],
  })
  replace(
    @Param('id') id: string,
    @Param('slug') slug: string,
    @Body({ schema: replacementSchema }) definition: z.infer<typeof replacementSchema>,
  ): Promise<ProviderDocument> {
    return this.providers.replace(toId(id, 'identity_provider_not_found'), toSlug(slug), definition);
  }

  @Post(':slug/enable')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Let people sign in with it again',
    status: 200,
    answer: providerAnswer,
    errors: ['identity_provider_not_found', 'busy'],
  })
  enable(@Param('id') id: string, @Param('slug') slug: string): Promise<ProviderDocument> {
    return this.providers.setEnabled(toId(id, 'identity_provider_not_found'), toSlug(slug), true);
  }

  @Post(':slug/disable')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Let nobody sign in with it, within two seconds; links and sessions stay',
    status: 200,
    answer: providerAnswer,
    errors: ['identity_provider_not_found', 'busy'],
  })
  disable(@Param('id') id: string, @Param('slug') slug: string): Promise<ProviderDocument> {
    return this.providers.setEnabled(toId(id, 'identity_provider_not_found'), toSlug(slug), false);
  }

  @Delete(':slug')
  @HttpCode(204)
  @AdminOperation('owner', {
    summary: 'Remove it with all links to users; another one of the same name inherits none',
    status: 204,
    errors: ['identity_provider_not_found'],
  })
  async remove(@Param('id') id: string, @Param('slug') slug: string): Promise<void> {
    await this.providers.remove(toId(id, 'identity_provider_not_found'), toSlug(slug));
  }

  private async applicationId(parameter: string): Promise<number> {
    const application = await this.applications.find(toId(parameter, 'application_not_found'));
    if (!application) throw new BrokerError('application_not_found');
    return application.id;
  }
}
