import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import type { z } from 'zod';
import type { Client } from '../local-auth/client.js';
import { SignUpService } from '../local-auth/sign-up.service.js';
import { CurrentClient } from './caller.js';
import { SessionOrServerGuard } from './client.guards.js';
import { Operation } from '../http/openapi/operation.decorator.js';
import { givenIdentifiers, signUpBody, toProfile } from './requests.js';
import { toUserBody, userAnswer } from './responses.js';

@Controller('v1/users')
export class UsersController {
  constructor(private readonly signUps: SignUpService) {}

  @Post()
  @HttpCode(201)
  @UseGuards(SessionOrServerGuard)
  @Operation({
    summary: 'Sign a user up with a password',
    auth: 'session or server',
    status: 201,
    answer: userAnswer,
    errors: [
      'invalid_client',
      'sign_up_disabled',
      'identifier_taken',
      'password_refused',
      'too_many_requests',
      'busy',
    ],
  })
  async signUp(
    @CurrentClient() client: Client,
    @Body({ schema: signUpBody }) body: z.infer<typeof signUpBody>,
  ) {
    const { password } = body;
    const user = await this.signUps.signUp(client, {
      identifiers: givenIdentifiers(body),
      password,
      profile: toProfile(body),
    });
    return { user: toUserBody(user) };
  }
}
