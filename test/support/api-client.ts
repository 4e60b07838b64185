import { expect } from '@jest/globals';
import type { Application } from '../../src/applications/application.js';

type Json = Record<string, unknown>;

export interface Answer<Body = Json> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  readonly text: string;
}

export interface SessionBody {
  id: number;
  token: string;
  kind: 'application' | 'user';
  application_id: number;
  user_id: number | null;
  provider: string | null;
  created_at: string;
  expires_at: string | null;
  refresh_token?: string;
}

export interface UserBody extends Json {
  id: number;
  login: string | null;
  email: string | null;
  guest: boolean;
}

export interface Begun {
  session: SessionBody;
  user?: UserBody;
}

interface Sent {
  /** A session token, or an application whose auth_key and auth_secret go as HTTP Basic. */
  readonly as?: string | Application;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export const PASSWORD = 'correct horse battery staple';

/** Speaks to the native face over real HTTP, as an app would. */
export class ApiClient {
  constructor(readonly url: string) {}

  async send<Body = Json>(
    method: string,
    path: string,
    { as, body, headers = {} }: Sent = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(as !== undefined && { authorization: authorization(as) }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : undefined) as Body,
      text,
    };
  }

  get<Body = Json>(path: string, as?: string | Application, headers?: Record<string, string>) {
    return this.send<Body>('GET', path, { ...(as !== undefined && { as }), ...(headers && { headers }) });
  }

  /** A session of the application, nobody signed in. */
  async applicationSession(application: Application): Promise<SessionBody> {
    return (await this.expecting<Begun>(201, 'POST', '/v1/sessions', { as: application })).session;
  }

  /** Signs a user up through the application's backend. */
  async signUp(application: Application, user: Json): Promise<UserBody> {
    const body = { password: PASSWORD, ...user };
    return (await this.expecting<{ user: UserBody }>(201, 'POST', '/v1/users', { as: application, body }))
      .user;
  }

  /** Begins a user session with a password. */
  async signIn(application: Application, credential: Json): Promise<Begun> {
    const body = { provider: 'password', credential: { password: PASSWORD, ...credential } };
    return this.expecting<Begun>(201, 'POST', '/v1/sessions', { as: application, body });
  }

  /** Signs a user up and in. */
  async user(application: Application, login: string): Promise<Begun> {
    await this.signUp(application, { login });
    return this.signIn(application, { login });
  }

  /** Trades a refresh token; what comes of it is the caller's to judge. */
  refresh(refreshToken: string | undefined, as?: Application) {
    const body = { refresh_token: refreshToken };
    return this.send<{ session: SessionBody }>('POST', '/v1/session/refresh', {
      body,
      ...(as !== undefined && { as }),
    });
  }

  async guest(application: Application): Promise<Begun> {
    return this.expecting<Begun>(201, 'POST', '/v1/sessions', {
      as: application,
      body: { provider: 'guest' },
    });
  }

  private async expecting<Body>(status: number, method: string, path: string, sent: Sent): Promise<Body> {
    const answer = await this.send<Body>(method, path, sent);
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.any(String) });
    return answer.body;
  }
}

export function authorization(as: string | Application): string {
  if (typeof as === 'string') return `Bearer ${as}`;
  return `Basic ${Buffer.from(`${as.authKey}:${as.authSecret}`).toString('base64')}`;
}
