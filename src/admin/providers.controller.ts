import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
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
import { compareQuery, rollBackBody, toId, toSlug } from './requests.js';
import {
  comparisonAnswer,
  providerAnswer,
  providersAnswer,
  providerVersionAnswer,
  providerVersionsAnswer,
} from './responses.js';

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

  @Get(':slug/versions')
  @AdminOperation('viewer', {
    summary: 'What its definition was, the latest version first',
    status: 200,
    answer: providerVersionsAnswer,
    errors: ['identity_provider_not_found'],
  })
  async versions(@Param('id') id: string, @Param('slug') slug: string) {
    const items = await this.providers.listVersions(toId(id, 'identity_provider_not_found'), toSlug(slug));
    return { items };
  }

  @Get(':slug/versions/compare')
  @AdminOperation('viewer', {
    summary: 'Where two of its versions differ',
    status: 200,
    answer: comparisonAnswer,
    errors: ['identity_provider_not_found', 'identity_provider_version_not_found'],
  })
  compare(
    @Param('id') id: string,
    @Param('slug') slug: string,
    @Query({ schema: compareQuery }) { from, to }: z.infer<typeof compareQuery>,
  ) {
    const applicationId = toId(id, 'identity_provider_not_found');
    return this.providers.compareVersions(applicationId, toSlug(slug), from, to);
  }

  @Get(':slug/versions/:version')
  @AdminOperation('viewer', {
    summary: 'One version of its definition, without its secrets',
    status: 200,
    answer: providerVersionAnswer,
    errors: ['identity_provider_not_found', 'identity_provider_version_not_found'],
  })
  showVersion(@Param('id') id: string, @Param('slug') slug: string, @Param('version') version: string) {
    const applicationId = toId(id, 'identity_provider_not_found');
    const number = toId(version, 'identity_provider_version_not_found');
    return this.providers.showVersion(applicationId, toSlug(slug), number);
  }

  @Post(':slug/rollback')
  @HttpCode(200)
  @AdminOperation('owner', {
    summary: 'Make the content of an earlier version that of a new one, secrets included',
    status: 200,
    answer: providerAnswer,
    errors: ['identity_provider_not_found', 'identity_provider_version_not_found', 'busy'],
  })
  rollBack(
    @Param('id') id: string,
    @Param('slug') slug: string,
    @Body({ schema: rollBackBody }) { version }: z.infer<typeof rollBackBody>,
  ): Promise<ProviderDocument> {
    return this.providers.rollBack(toId(id, 'identity_provider_not_found'), toSlug(slug), version);
  }

  private async applicationId(parameter: string): Promise<number> {
    const application = await this.applications.find(toId(parameter, 'application_not_found'));
    if (!application) throw new BrokerError('application_not_found');
    return application.id;
  }
}
