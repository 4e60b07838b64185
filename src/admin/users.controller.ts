import { Controller, HttpCode, Param, Post, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import { UserStatusService } from '../session/user-status.service.js';
import { AdminKeyGuard, AdminOperation } from './admin-key.guard.js';
import { toId } from './requests.js';
import { userStatusAnswer } from './responses.js';

type UserStatus = z.infer<typeof userStatusAnswer>;

/** Users of an application. */
@Controller('admin/v1/applications/:id/users/:user_id')
@UseGuards(AdminKeyGuard)
export class AdminUsersController {
  constructor(private readonly statuses: UserStatusService) {}

  @Post('disable')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Keep a user from signing in, and end all their sessions',
    status: 200,
    answer: userStatusAnswer,
    errors: ['user_not_found'],
  })
  disable(@Param('id') id: string, @Param('user_id') userId: string): Promise<UserStatus> {
    return this.setDisabled(id, userId, true);
  }

  @Post('enable')
  @HttpCode(200)
  @AdminOperation('operator', {
    summary: 'Let a disabled user sign in again',
    status: 200,
    answer: userStatusAnswer,
    errors: ['user_not_found'],
  })
  enable(@Param('id') id: string, @Param('user_id') userId: string): Promise<UserStatus> {
    return this.setDisabled(id, userId, false);
  }

  private async setDisabled(id: string, user: string, disabled: boolean): Promise<UserStatus> {
    const [applicationId, userId] = [toId(id, 'user_not_found'), toId(user, 'user_not_found')];
    await this.statuses.setDisabled(applicationId, userId, disabled);
    return { user_id: userId, disabled };
  }
}
