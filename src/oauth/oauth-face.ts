import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { ServerConfig } from '../config/config.js';
import { readFields, textOf } from '../http/raw/fields.js';
import {
  emptyReply,
  jsonReply,
  type RawFace,
  type RawOperation,
  type RawReply,
  type RawRequest,
  type RawRoute,
} from '../http/raw/raw-routes.js';
import { expiresAt } from '../session/session.js';
import { OAuthCallers, type OAuthCaller } from './oauth-callers.js';
import { TokenFactsService, type KnownToken } from './token-facts.service.js';

/** RFC 6749 §5.2; the challenge names a scheme that would be taken. */
const STRANGER = jsonReply(
  401,
  { error: 'invalid_client' },
  { 'www-authenticate': 'Basic realm="ostiary", charset="UTF-8"' },
);
const NO_TOKEN = jsonReply(400, { error: 'invalid_request', error_description: 'token is missing' });
/** Whoever asks has to refuse then (RFC 7662 §2.2 knows no third answer). */
const AWAY = jsonReply(503, { error: 'temporarily_unavailable' }, { 'retry-after': '2' });

/** RFC 7662 §2.2: one answer to everything that is not in force, whatever the reason. */
const INACTIVE = jsonReply(200, { active: false });
const REVOKED = emptyReply(200);

const tokenForm = z.object({ token: z.string(), token_type_hint: z.string().optional() });
const oauthError = z.object({ error: z.string(), error_description: z.string().optional() });
const refusals = {
  400: { description: 'invalid_request', schema: oauthError },
  401: { description: 'invalid_client', schema: oauthError },
  503: { description: 'temporarily_unavailable', schema: oauthError },
};

const introspection = z.object({
  active: z.boolean(),
  sub: z.string().optional().describe('The user id; absent where nobody is signed in'),
  username: z.string().optional().describe('user id - application id, as chat servers know the user'),
  client_id: z.string().optional().describe('The application id'),
  scope: z.enum(['user', 'application']).optional(),
  token_type: z.literal('Bearer').optional(),
  iat: z.int().optional(),
  exp: z.int().optional(),
  iss: z.string().optional(),
});

/** Token introspection (RFC 7662) and revocation (RFC 7009), for chat servers and the backends of applications. */
@Injectable()
export class OAuthFace implements RawFace {
  readonly prefix = '/oauth';
  readonly routes: readonly RawRoute[];

  constructor(
    private readonly callers: OAuthCallers,
    private readonly tokens: TokenFactsService,
    private readonly server: ServerConfig,
  ) {
    this.routes = [
      this.route('/oauth/introspect', this.introspect, {
        id: 'OAuth_introspect',
        summary: 'Whether a session token is in force, and whose it is (RFC 7662)',
        answers: { 200: { description: 'Decided', schema: introspection }, ...refusals },
      }),
      this.route('/oauth/revoke', this.revoke, {
        id: 'OAuth_revoke',
        summary: 'End the session of an access or refresh token (RFC 7009)',
        answers: { 200: { description: 'It is over, or was nothing of the caller’s' }, ...refusals },
      }),
    ];
  }

  private readonly introspect = async (token: string, caller: OAuthCaller): Promise<RawReply> => {
    const known = await this.tokens.introspect(token, caller);
    return known ? jsonReply(200, this.claimsOf(known)) : INACTIVE;
  };

  private readonly revoke = async (
    token: string,
    caller: OAuthCaller,
    request: RawRequest,
  ): Promise<RawReply> => {
    await this.tokens.revoke(token, caller, request);
    return REVOKED;
  };

  private route(
    path: string,
    act: (token: string, caller: OAuthCaller, request: RawRequest) => Promise<RawReply>,
    operation: Pick<RawOperation, 'id' | 'summary' | 'answers'>,
  ): RawRoute {
    return {
      path,
      methods: ['POST'],
      readsBody: true,
      failure: AWAY,
      operation: {
        ...operation,
        auth: 'chat client or server',
        body: tokenForm,
        bodyType: 'application/x-www-form-urlencoded',
      },
      answer: (request) => this.answer(request, act),
    };
  }

  private async answer(
    request: RawRequest,
    act: (token: string, caller: OAuthCaller, request: RawRequest) => Promise<RawReply>,
  ): Promise<RawReply> {
    const caller = await this.callers.recognise(request.headers.authorization);
    if (!caller) return STRANGER;
    // Not from the query, which ends up in the logs of whatever stands in between (RFC 7662 §2.1).
    const token = textOf(readFields({ query: '', body: request.body }), 'token');
    return token === undefined ? NO_TOKEN : act(token, caller, request);
  }

  private claimsOf({ session, application }: KnownToken): z.infer<typeof introspection> {
    const { userId, applicationId } = session;
    const end = expiresAt(session, application.settings, session.lastUsedAt);
    return {
      active: true,
      ...(userId !== null && { sub: String(userId), username: `${userId}-${applicationId}` }),
      client_id: String(applicationId),
      scope: userId === null ? 'application' : 'user',
      token_type: 'Bearer',
      iat: Math.floor(session.startedAt / 1000),
      ...(end !== null && { exp: Math.floor(end / 1000) }),
      ...(this.server.publicUrl !== null && { iss: this.server.publicUrl }),
    };
  }
}
