import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { BrokerError } from '../../errors/broker-error.js';
import type { ErrorCode } from '../../errors/error-catalog.js';
import { toSubject } from '../../identity/subject.js';
import type { OutboundClient } from '../../outbound/outbound-client.js';
import type { Clock } from '../../time/clock.js';
import type { FacebookApp, FacebookOptions } from './facebook.options.js';
import { readGraphAnswer, refusalError, type GraphAnswer, type GraphRefusal } from './graph-answer.js';

/** Ids are text; small ones have been numbers. A number that lost digits is no safe integer and is refused. */
const id = z.union([z.string(), z.number()]);

/** What `debug_token` says of a token that an app asks about. */
const debugSchema = z.looseObject({
  is_valid: z.literal(true),
  app_id: id,
  type: z.literal('USER'),
  user_id: id,
  // 0: does not expire.
  expires_at: z.number().nonnegative(),
  issued_at: z.number().positive().optional().catch(undefined),
});

/** The other place where Graph says what `isTokenOfAnotherApp` looks for. */
const otherAppSchema = z.looseObject({
  is_valid: z.literal(false),
  error: z.looseObject({ code: z.literal(100) }),
});

/** A user access token of one of our apps. */
export interface UserToken {
  readonly app: FacebookApp;
  readonly userId: string;
  readonly authTime: Date;
}

/** Which app a token is for, by Graph's word. The calls that tell a token for us from a token for others. */
export class Graph {
  constructor(
    private readonly options: FacebookOptions,
    private readonly outbound: OutboundClient,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks Graph whose token this is. Graph tells an app of its own tokens only, and a token does not show its app, so
   * each app asks in turn.
   *
   * @throws BrokerError `invalid_credentials` unless it is a living user access token of one of these apps.
   */
  async inspect(token: string, apps: readonly FacebookApp[], signal: AbortSignal): Promise<UserToken> {
    let misconfigured: BrokerError | undefined;
    for (const app of apps) {
      const answer = await this.debugToken(token, app, signal);
      if (answer.kind === 'object') {
        const data = dataOf(answer.object);
        if (otherAppSchema.safeParse(data).success) continue;
        return this.userToken(data, apps);
      }
      if (isTokenOfAnotherApp(answer.refusal)) continue;
      const error = refusalError(answer.refusal, blameOfDebugToken);
      // One app whose secret is no longer right must not keep the others' people out.
      if (error.code !== 'identity_provider_misconfigured') throw error;
      misconfigured ??= error;
    }
    throw misconfigured ?? refused('the token is of none of our apps');
  }

  /** The profile of a token's person. @throws BrokerError */
  async profile({ app }: UserToken, token: string, signal: AbortSignal) {
    const url = this.address('me');
    url.searchParams.set('fields', 'id,name,email,picture');
    url.searchParams.set('appsecret_proof', appSecretProof(app, token));
    const answer = await this.get(url, token, signal);
    if (answer.kind === 'refusal') throw refusalError(answer.refusal, blameOfProfile);
    return answer.object;
  }

  private debugToken(token: string, { id, secret }: FacebookApp, signal: AbortSignal): Promise<GraphAnswer> {
    const url = this.address('debug_token');
    url.searchParams.set('input_token', token);
    return this.get(url, `${id}|${secret}`, signal);
  }

  /** The token in a header: addresses end up in other people's logs. */
  private async get(url: URL, token: string, signal: AbortSignal): Promise<GraphAnswer> {
    const headers = { authorization: `Bearer ${token}` };
    return readGraphAnswer(await this.outbound.send({ url, headers, signal }));
  }

  private address(path: string): URL {
    return new URL(`${this.options.graph_url.replace(/\/$/, '')}/${this.options.graph_version}/${path}`);
  }

  private userToken(data: object, apps: readonly FacebookApp[]): UserToken {
    const facts = debugSchema.safeParse(data);
    if (!facts.success) throw refused('the token is not a valid user access token');
    const { app_id, user_id, expires_at, issued_at } = facts.data;
    const app = apps.find((one) => one.id === String(app_id));
    if (!app) throw refused('the token is of none of our apps');
    const now = this.clock.now();
    if (expires_at !== 0 && expires_at * 1000 <= now) throw refused('the token is expired');
    const authTime = new Date(Math.min(now, (issued_at ?? Infinity) * 1000));
    return { app, userId: toSubject(user_id), authTime };
  }
}

function dataOf({ data }: Readonly<Record<string, unknown>>): object {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
  throw new BrokerError('identity_provider_unavailable', {
    cause: new Error('debug_token answers without data'),
  });
}

/** Proves to Graph that a call with a user's token comes from the app's own server. */
function appSecretProof({ secret }: FacebookApp, token: string): string {
  return createHmac('sha256', secret).update(token).digest('hex');
}

/** "The App_id in the input_token did not match the Viewing App". */
function isTokenOfAnotherApp({ code, type }: GraphRefusal): boolean {
  return code === 100 && type === 'OAuthException';
}

/** Refusals of the whole call are about the app's own token; what is wrong with the user's stands in `data`. */
function blameOfDebugToken({ code, status }: GraphRefusal): ErrorCode | undefined {
  if (code === 190 || code === 101) return 'identity_provider_misconfigured';
  // "Error validating client secret" shares its code with "An unknown error occurred", which comes with status 500.
  return code === 1 && status === 400 ? 'identity_provider_misconfigured' : undefined;
}

/** Here the token is the user's: 190 and its subcodes, and 102, say that it is over. A wrong proof is 100. */
function blameOfProfile({ code }: GraphRefusal): ErrorCode | undefined {
  return code === 190 || code === 102 || code === 463 || code === 467 ? 'invalid_credentials' : undefined;
}

function refused(reason: string): BrokerError {
  return new BrokerError('invalid_credentials', { cause: new Error(reason) });
}
