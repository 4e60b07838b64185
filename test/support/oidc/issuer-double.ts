import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../src/time/clock.js';
import { rsaKey, signedToken, type SigningKey } from '../signed-token.js';

export const CLIENT = { id: 'our-client', secret: 'the-secret-of-our-client' };

export interface TokenOverrides {
  readonly header?: object;
  readonly payload?: object;
  readonly key?: SigningKey;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Grant {
  readonly person: string;
  readonly nonce: string | null;
  readonly redirectUri: string;
  readonly codeChallenge: string;
}

/** Making one takes a while. */
const FIRST_KEY: SigningKey = rsaKey('first');

/**
 * An OpenID provider as small as it can be that answers as real ones do: discovery, keys, code flow, userinfo,
 * introspection. What a whole one does is tried with `oidc-provider`; this one also errs in ways that that one never does.
 */
export class IssuerDouble {
  /** `METHOD /path`, as they came. */
  readonly requests: string[] = [];
  /** Of the requests with a body, by path. */
  readonly forms: { readonly path: string; readonly raw: string; readonly form: URLSearchParams }[] = [];
  readonly authorizations: string[] = [];
  /** `host/path` of requests that were meant for somebody else and were sent here. */
  readonly rerouted: string[] = [];
  key = FIRST_KEY;
  published: readonly object[];
  /** Members of the discovery document that are otherwise; undefined takes one out. */
  document: Readonly<Record<string, unknown>> = {};
  /** What userinfo says otherwise. */
  userinfo: Readonly<Record<string, unknown>> = {};
  /** What the ID token of a traded code is. */
  idTokenOverrides: TokenOverrides = {};
  private readonly scripted = new Map<string, Answer>();
  private readonly grants = new Map<string, Grant>();
  private readonly opaque = new Map<string, Readonly<Record<string, unknown>>>();
  private readonly hanging: ServerResponse[] = [];
  private state: 'up' | 'stalled' | 'rubbish' = 'up';
  private port = 0;

  private constructor(
    private readonly clock: Clock,
    private readonly server: Server,
    private readonly scheme: 'http' | 'https',
  ) {
    this.published = [this.key.jwk];
  }

  /** @param tls with which it answers by https; without, by plain HTTP. */
  static async start(clock: Clock, tls?: ServerOptions): Promise<IssuerDouble> {
    const server = tls ? createTlsServer(tls) : createServer();
    const double = new IssuerDouble(clock, server, tls ? 'https' : 'http');
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void double.respond(request, response);
    });
    // Clients that do not like what they see are what is tried.
    server.on('tlsClientError', () => undefined);
    await double.listen();
    return double;
  }

  get issuer(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  subjectOf(person: string): string {
    return `subject-of-${person}`;
  }

  claimsOf(person: string): Record<string, unknown> {
    const now = Math.floor(this.clock.now() / 1000);
    return {
      iss: this.issuer,
      aud: CLIENT.id,
      sub: this.subjectOf(person),
      iat: now,
      exp: now + 3600,
      email: `${person}@example.org`,
      email_verified: true,
      name: person,
    };
  }

  token(person: string, { header = {}, payload = {}, key = this.key }: TokenOverrides = {}): string {
    return signedToken({
      header: { alg: 'RS256', typ: 'JWT', kid: key.kid, ...header },
      payload: { ...this.claimsOf(person), ...payload },
      key: key.privateKey,
    });
  }

  /** RFC 9068. */
  accessToken(
    person: string,
    audience: string,
    { payload = {}, header = {}, key }: TokenOverrides = {},
  ): string {
    return this.token(person, {
      header: { typ: 'at+jwt', ...header },
      payload: { aud: audience, client_id: CLIENT.id, jti: randomBytes(8).toString('hex'), ...payload },
      ...(key && { key }),
    });
  }

  /** A token that only this server can say something of. */
  opaqueToken(person: string, facts: Readonly<Record<string, unknown>> = {}): string {
    const token = `opaque-${randomBytes(16).toString('hex')}`;
    this.remember(token, { active: true, client_id: CLIENT.id, ...this.claimsOf(person), ...facts });
    return token;
  }

  /** What is said of a token. */
  remember(token: string, facts: Readonly<Record<string, unknown>>): void {
    this.opaque.set(token, facts);
  }

  /** The person says yes: the parameters that the browser goes back with. */
  consent(authorizationUrl: URL, person: string): Record<string, string> {
    const query = Object.fromEntries(authorizationUrl.searchParams);
    const code = randomBytes(16).toString('hex');
    this.grants.set(code, {
      person,
      nonce: query['nonce'] ?? null,
      redirectUri: query['redirect_uri']!,
      codeChallenge: query['code_challenge']!,
    });
    return { code, state: query['state']!, iss: this.issuer };
  }

  /** Signs with another key from now on; the old one is not published any more. */
  rotateKeys(kid = 'second'): void {
    this.key = rsaKey(kid);
    this.published = [this.key.jwk];
  }

  /** Until `comeBack`, requests for this path get this answer. */
  script(path: string, answer: Answer): void {
    this.scripted.set(path, answer);
  }

  countOf(path: string): number {
    return this.requests.filter((request) => request.endsWith(` ${path}`)).length;
  }

  async goDown(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  stall(): void {
    this.state = 'stalled';
  }

  talkRubbish(): void {
    this.state = 'rubbish';
  }

  async comeBack(): Promise<void> {
    this.state = 'up';
    for (const response of this.hanging.splice(0)) response.destroy();
    this.scripted.clear();
    if (!this.server.listening) await this.listen();
  }

  async close(): Promise<void> {
    if (this.server.listening) await this.goDown();
  }

  private async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, this.issuer);
    this.requests.push(`${request.method} ${pathname}`);
    const { authorization = '' } = request.headers;
    this.authorizations.push(authorization);
    const raw = await bodyOf(request);
    const form = new URLSearchParams(raw);
    if (request.method === 'POST') this.forms.push({ path: pathname, raw, form });
    if (this.state === 'stalled') return void this.hanging.push(response);
    const { status, body, headers } = this.answer(pathname, form, authorization);
    const isText = typeof body === 'string';
    const type = isText ? 'text/html; charset=utf-8' : 'application/json';
    response.writeHead(status, { 'content-type': type, ...headers });
    response.end(isText ? body : JSON.stringify(body));
  }

  private answer(path: string, form: URLSearchParams, authorization: string): Answer {
    if (this.state === 'rubbish') return ok('<html>Sorry, something went wrong.</html>');
    const scripted = this.scripted.get(path);
    if (scripted) return scripted;
    switch (path) {
      case '/.well-known/openid-configuration':
        return ok({ ...this.discoveryDocument(), ...this.document });
      case '/jwks':
        return ok({ keys: this.published });
      case '/token':
        return isClient(form, authorization) ? this.trade(form) : notOurClient();
      case '/userinfo':
        return this.tell(authorization.replace(/^Bearer /, ''));
      case '/introspect':
        return isClient(form, authorization)
          ? ok(this.opaque.get(form.get('token') ?? '') ?? { active: false })
          : notOurClient();
      default:
        return { status: 404, body: { error: 'not_found' } };
    }
  }

  private discoveryDocument(): object {
    const { issuer } = this;
    return {
      issuer,
      jwks_uri: `${issuer}/jwks`,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      introspection_endpoint: `${issuer}/introspect`,
      id_token_signing_alg_values_supported: ['RS256'],
      authorization_response_iss_parameter_supported: true,
    };
  }

  private trade(form: URLSearchParams): Answer {
    const code = form.get('code') ?? '';
    const grant = this.grants.get(code);
    this.grants.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (grant?.codeChallenge !== challenge || grant.redirectUri !== form.get('redirect_uri')) {
      return { status: 400, body: { error: 'invalid_grant', error_description: 'grant request is invalid' } };
    }
    const { payload = {}, ...overrides } = this.idTokenOverrides;
    return ok({
      access_token: this.opaqueToken(grant.person),
      token_type: 'Bearer',
      expires_in: 3600,
      id_token: this.token(grant.person, {
        payload: { nonce: grant.nonce ?? undefined, ...payload },
        ...overrides,
      }),
    });
  }

  private tell(token: string): Answer {
    const facts = this.opaque.get(token) ?? payloadOf(token);
    if (!facts) return { status: 401, body: { error: 'invalid_token' } };
    const { sub, email, email_verified } = facts;
    return ok({ sub, email, email_verified, nickname: 'from userinfo', ...this.userinfo });
  }
}

function payloadOf(token: string): Record<string, unknown> | null {
  const part = token.split('.')[1];
  return part === undefined
    ? null
    : (JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>);
}

function isClient(form: URLSearchParams, authorization: string): boolean {
  const basic = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
  const isBasic = basic === `${CLIENT.id}:${CLIENT.secret}`;
  return isBasic || (form.get('client_id') === CLIENT.id && form.get('client_secret') === CLIENT.secret);
}

function notOurClient(): Answer {
  return {
    status: 401,
    body: { error: 'invalid_client' },
    headers: { 'www-authenticate': 'Basic realm="double"' },
  };
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
