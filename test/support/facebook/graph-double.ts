import { createHash, createHmac, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../src/time/clock.js';
import { rsaKey, signedToken, type SigningKey } from '../signed-token.js';
import { dialogPage } from './dialog-page.js';
import { graphErrors, type GraphError } from './graph-errors.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface IssuedToken {
  readonly appId: string;
  readonly person: string;
  readonly expiresAt: number;
  readonly issuedAt: number;
}

interface IssuedCode extends Pick<IssuedToken, 'appId' | 'person'> {
  readonly redirectUri: string;
  readonly challenge: string | null;
  used: boolean;
}

interface Asked {
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly bearer: string;
}

export interface IdTokenOverrides {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly payload?: Readonly<Record<string, unknown>>;
  readonly key?: SigningKey;
}

const SCOPES = ['email', 'public_profile'];

/**
 * Facebook as far as a sign-in sees it: Graph's `debug_token` and `/me`, the OAuth dialog and the trade of its code,
 * Limited Login's ID tokens and the keys to them. A real server, with the refusals and the error bodies of the service.
 */
export class GraphDouble {
  readonly calls: string[] = [];
  /** The last requests as they came, to see what was sent and where. */
  readonly requests: { readonly path: string; readonly url: string; readonly authorization: string }[] = [];
  /** The Referer of each request that had one. */
  readonly referrers: string[] = [];
  /** Who presses "Continue" in the dialog. */
  visitor = 'ada';
  /** Where `debug_token` says that a token is of another app: beside the data, or in it. */
  refusesOtherAppsInData = false;
  private readonly apps = new Map<string, string>();
  private readonly tokens = new Map<string, IssuedToken>();
  private readonly codes = new Map<string, IssuedCode>();
  private readonly scripted = new Map<string, Answer>();
  private keys: SigningKey[] = [rsaKey('fb-1')];
  private state: 'up' | 'stalled' | 'rubbish' = 'up';
  private pausing: Promise<void> | undefined;
  private readonly hanging: ServerResponse[] = [];
  private port = 0;

  private constructor(
    private readonly clock: Clock,
    private readonly server: Server,
  ) {}

  static async start(clock: Clock): Promise<GraphDouble> {
    const server = createServer();
    const double = new GraphDouble(clock, server);
    server.on('request', (request, response) => void double.respond(request, response));
    await double.listen();
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get jwksUrl(): string {
    return `${this.url}/.well-known/oauth/openid/jwks/`;
  }

  addApp(id: string, secret: string): void {
    this.apps.set(id, secret);
  }

  /** A person's id in the eyes of one app: app-scoped, as Facebook's are. */
  userId(appId: string, person: string): string {
    const digits = createHash('sha256').update(`${appId} ${person}`).digest().readBigUInt64BE();
    return String(10_000_000_000_000_000n + (digits % 10_000_000_000_000_000n));
  }

  userToken(appId: string, person: string, { expiresInSeconds = 3600 } = {}): string {
    const token = `EAA${randomBytes(48).toString('hex')}`;
    const now = Math.floor(this.clock.now() / 1000);
    this.tokens.set(token, { appId, person, issuedAt: now, expiresAt: now + expiresInSeconds });
    return token;
  }

  /** Of all people and apps, so far. */
  get userTokens(): string[] {
    return [...this.tokens.keys()];
  }

  appToken(appId: string): string {
    return `${appId}|${this.apps.get(appId)}`;
  }

  limitedLoginToken(
    appId: string,
    person: string,
    nonce: string,
    { header = {}, payload = {}, key = this.keys.at(-1)! }: IdTokenOverrides = {},
  ): string {
    const now = Math.floor(this.clock.now() / 1000);
    return signedToken({
      header: { alg: 'RS256', typ: 'JWT', kid: key.kid, ...header },
      payload: {
        iss: 'https://www.facebook.com',
        aud: appId,
        sub: this.userId(appId, person),
        iat: now,
        exp: now + 3600,
        jti: randomBytes(24).toString('hex'),
        nonce,
        email: `${person}@example.org`,
        name: person,
        picture: `https://platform-lookaside.example/${person}.jpg`,
        ...payload,
      },
      key: key.privateKey,
    });
  }

  /** The key that signs from now on; the ones before are published on where `keep` is on. */
  rotateKeys(key = rsaKey(`fb-${this.keys.length + 1}`), { keep = true } = {}): SigningKey {
    this.keys = keep ? [...this.keys, key] : [key];
    return key;
  }

  /** Until `comeBack`, requests for this path get this answer. */
  script(path: string, answer: Answer): void {
    this.scripted.set(path, answer);
  }

  countOf(path: string): number {
    return this.calls.filter((call) => call === path).length;
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

  /** From now on requests wait. @returns lets them go on. */
  pause(): () => void {
    let goOn: () => void = () => undefined;
    this.pausing = new Promise((resolve) => (goOn = resolve));
    return goOn;
  }

  async comeBack(): Promise<void> {
    this.state = 'up';
    this.refusesOtherAppsInData = false;
    // Only what hangs: a connection that is closed under a client between two requests fails the second one.
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
    const url = new URL(request.url ?? '/', this.url);
    const path = url.pathname.replace(/^\/v\d+\.\d\//, '/');
    this.calls.push(path);
    const { authorization = '', referer } = request.headers;
    if (referer !== undefined) this.referrers.push(referer);
    this.requests.push({ path, url: url.href, authorization });
    const form = new URLSearchParams(await textOf(request));
    await this.pausing;
    if (this.state === 'stalled') return void this.hanging.push(response);
    const bearer = authorization.replace(/^Bearer /, '') || (url.searchParams.get('access_token') ?? '');
    const answer = this.answer(path, { query: url.searchParams, form, bearer });
    const isText = typeof answer.body === 'string';
    response.writeHead(answer.status, {
      'content-type': isText ? 'text/html; charset=utf-8' : 'application/json; charset=UTF-8',
      ...answer.headers,
    });
    response.end(isText ? answer.body : JSON.stringify(answer.body));
  }

  private answer(path: string, asked: Asked): Answer {
    if (this.state === 'rubbish') return { status: 200, body: '<html>Sorry, something went wrong.</html>' };
    const scripted = this.scripted.get(path);
    if (scripted) return scripted;
    switch (path) {
      case '/debug_token':
        return this.debugToken(asked);
      case '/me':
        return this.me(asked);
      case '/dialog/oauth':
        return this.dialog(asked.query);
      case '/oauth/access_token':
        return this.trade(asked.form);
      case '/.well-known/oauth/openid/jwks/':
        return { status: 200, body: { keys: this.keys.map(({ jwk }) => jwk) } };
      default:
        return refusal(graphErrors.unknownPath);
    }
  }

  private debugToken({ query, bearer }: Asked): Answer {
    const fault = this.appTokenFault(bearer);
    if (fault) return refusal(fault);
    const viewer = bearer.split('|')[0]!;
    const input = query.get('input_token');
    if (!input) return refusal(graphErrors.inputTokenMissing);
    const [appId, secret] = input.split('|');
    if (secret !== undefined && this.apps.get(appId!) === secret) {
      if (appId !== viewer) return refusal(graphErrors.otherApp);
      return {
        status: 200,
        body: { data: { app_id: appId, type: 'APP', application: 'An app', is_valid: true } },
      };
    }
    const token = this.tokens.get(input);
    if (!token) {
      const error = { code: 190, message: 'Invalid OAuth access token.' };
      return { status: 200, body: { data: { error, is_valid: false, scopes: [] } } };
    }
    if (token.appId !== viewer && this.refusesOtherAppsInData) {
      const { code, message } = graphErrors.otherApp;
      return { status: 200, body: { data: { error: { code, message }, is_valid: false, scopes: [] } } };
    }
    if (token.appId !== viewer) return refusal(graphErrors.otherApp);
    return { status: 200, body: { data: this.facts(token) } };
  }

  private facts(token: IssuedToken): object {
    const { appId, person, expiresAt, issuedAt } = token;
    const isValid = !this.isExpired(token);
    return {
      app_id: appId,
      type: 'USER',
      application: 'An app',
      data_access_expires_at: issuedAt + 90 * 86_400,
      ...(!isValid && {
        error: { code: 190, message: 'Error validating access token: Session has expired.', subcode: 463 },
      }),
      expires_at: expiresAt,
      is_valid: isValid,
      issued_at: issuedAt,
      scopes: SCOPES,
      user_id: this.userId(appId, person),
    };
  }

  private appTokenFault(bearer: string): GraphError | null {
    if (bearer === '') return graphErrors.tokenRequired;
    const [id = '', secret] = bearer.split('|');
    if (secret === undefined) return graphErrors.notAnAppToken;
    if (!this.apps.has(id)) return graphErrors.unknownApp;
    return this.apps.get(id) === secret ? null : graphErrors.badSignature;
  }

  private me({ query, bearer }: Asked): Answer {
    if (bearer === '') return refusal(graphErrors.tokenRequired);
    const token = this.tokens.get(bearer);
    if (!token) return refusal(bearer.includes('|') ? graphErrors.noUser : graphErrors.unreadableToken);
    if (this.isExpired(token)) return refusal(graphErrors.expired);
    const proof = query.get('appsecret_proof');
    if (proof === null) return refusal(graphErrors.proofRequired);
    const secret = this.apps.get(token.appId) ?? '';
    if (proof !== createHmac('sha256', secret).update(bearer).digest('hex')) {
      return refusal(graphErrors.proofInvalid);
    }
    const fields = (query.get('fields') ?? 'id,name').split(',');
    const all = this.person(token);
    return {
      status: 200,
      body: Object.fromEntries(Object.entries(all).filter(([name]) => fields.includes(name))),
    };
  }

  private person({ appId, person }: IssuedToken): Record<string, unknown> {
    return {
      id: this.userId(appId, person),
      name: person,
      email: `${person}@example.org`,
      picture: {
        data: {
          height: 50,
          is_silhouette: false,
          url: `https://platform-lookaside.example/${person}.jpg`,
          width: 50,
        },
      },
    };
  }

  /** The page with its two buttons; each sends the browser back, as the real one's do. */
  private dialog(query: URLSearchParams): Answer {
    const [appId, redirectUri] = [query.get('client_id') ?? '', query.get('redirect_uri') ?? ''];
    if (!this.apps.has(appId)) return { status: 200, body: '<h1>Invalid App ID</h1>' };
    if (!URL.canParse(redirectUri)) return { status: 200, body: '<h1>URL Blocked</h1>' };
    const decision = query.get('decision');
    if (decision === null) return { status: 200, body: dialogPage(query) };
    const back = new URL(redirectUri);
    const parameters = decision === 'continue' ? { code: this.codeFor(query) } : DECLINED;
    for (const [name, value] of Object.entries({ ...parameters, state: query.get('state') ?? '' })) {
      back.searchParams.set(name, value);
    }
    return { status: 302, body: '', headers: { location: `${back.href}#_=_` } };
  }

  private codeFor(query: URLSearchParams): string {
    const code = `AQ${randomBytes(32).toString('base64url')}`;
    this.codes.set(code, {
      appId: query.get('client_id')!,
      redirectUri: query.get('redirect_uri')!,
      challenge: query.get('code_challenge'),
      person: this.visitor,
      used: false,
    });
    return code;
  }

  private trade(form: URLSearchParams): Answer {
    const appId = form.get('client_id') ?? '';
    if (!this.apps.has(appId)) return refusal(graphErrors.unknownApp);
    if (this.apps.get(appId) !== form.get('client_secret')) return refusal(graphErrors.badClientSecret);
    const code = this.codes.get(form.get('code') ?? '');
    if (code?.appId !== appId) return refusal(graphErrors.badCode);
    if (code.used) return refusal(graphErrors.usedCode);
    if (code.redirectUri !== form.get('redirect_uri')) return refusal(graphErrors.otherRedirectUri);
    if (code.challenge !== null && code.challenge !== challengeOf(form.get('code_verifier') ?? '')) {
      return refusal(graphErrors.badCodeVerifier);
    }
    code.used = true;
    const access_token = this.userToken(appId, code.person, { expiresInSeconds: 5_183_944 });
    return { status: 200, body: { access_token, token_type: 'bearer', expires_in: 5_183_944 } };
  }

  private isExpired({ expiresAt }: IssuedToken): boolean {
    return expiresAt * 1000 <= this.clock.now();
  }
}

const DECLINED = {
  error: 'access_denied',
  error_code: '200',
  error_description: 'Permissions error',
  error_reason: 'user_denied',
};

function refusal({ status = 400, ...error }: GraphError): Answer {
  return { status, body: { error: { ...error, fbtrace_id: 'AbCdEfGhIjKlMnOpQrStUvW' } } };
}

function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
